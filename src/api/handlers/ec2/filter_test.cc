#include "api/handlers/ec2/filter.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace hikae::api::ec2::handlers {
namespace {

Filter filter(const std::string& name, std::vector<std::string> values) {
  return Filter{.name = name, .values = std::move(values)};
}

const FilterTable<Vpc>& table() {
  static const FilterTable<Vpc> vpcs(
      {{"vpc-id", [](const Vpc& v) { return filter_text(v.vpc_id); }},
       {"is-default", [](const Vpc& v) { return filter_text(v.is_default); }}},
      [](const Vpc& v) -> const TagList& { return v.tags; });
  return vpcs;
}

std::vector<Vpc> some_vpcs() {
  Vpc first;
  first.vpc_id = "vpc-1";
  first.is_default = true;
  Vpc second;
  second.vpc_id = "vpc-2";
  second.is_default = false;
  second.tags = {Tag{.key = "Name", .value = "main*"}};
  return {first, second};
}

std::vector<std::string> ids(const std::vector<Filter>& filters) {
  std::vector<std::string> out;
  const auto kept = table().apply(filters, some_vpcs());
  if (!kept) {
    return {kept.error().code, kept.error().message};
  }
  for (const Vpc& vpc : *kept) {
    out.push_back(*vpc.vpc_id);
  }
  return out;
}

using Strings = std::vector<std::string>;

TEST(Ec2Filter, ValuesAreAlternativesAndFiltersConditions) {
  EXPECT_EQ(ids({filter("vpc-id", {"vpc-1", "vpc-2"})}), (Strings{"vpc-1", "vpc-2"}));
  EXPECT_EQ(ids({filter("vpc-id", {"vpc-*"}), filter("is-default", {"false"})}), Strings{"vpc-2"});
  EXPECT_EQ(ids({filter("vpc-id", {"vpc-1"}), filter("is-default", {"false"})}), Strings{});
}

TEST(Ec2Filter, TagsAreFoundByKeyAndValue) {
  EXPECT_EQ(ids({filter("tag:Name", {"main\\*"})}), Strings{"vpc-2"});
  EXPECT_EQ(ids({filter("tag:name", {"main*"})}), Strings{});
  EXPECT_EQ(ids({filter("tag-key", {"Na?e"})}), Strings{"vpc-2"});
  EXPECT_EQ(ids({filter("tag-value", {"main*"})}), Strings{"vpc-2"});
}

TEST(Ec2Filter, BadFiltersAreRefused) {
  EXPECT_EQ(ids({filter("colour", {"red"})}),
            (Strings{"InvalidParameterValue", "The filter 'colour' is invalid"}));
  EXPECT_EQ(ids({filter("vpc-id", {})}).front(), "InvalidParameterValue");
  EXPECT_EQ(ids({Filter{}}).front(), "InvalidParameterValue");
  EXPECT_EQ(ids({filter("vpc-id", Strings(kMaxFilterValues + 1, "vpc-1"))}).front(),
            "FilterLimitExceeded");
}

TEST(Ec2Filter, Wildcards) {
  EXPECT_TRUE(matches_wildcard("", ""));
  EXPECT_TRUE(matches_wildcard("*", ""));
  EXPECT_TRUE(matches_wildcard("a*b*c", "aXbYbZc"));
  EXPECT_TRUE(matches_wildcard("\\*\\?\\\\", "*?\\"));
  EXPECT_TRUE(matches_wildcard("*aab", "aaaaaab"));
  EXPECT_FALSE(matches_wildcard("?", ""));
  EXPECT_FALSE(matches_wildcard("a*b", "aXc"));
  EXPECT_FALSE(matches_wildcard("A", "a"));
  EXPECT_FALSE(matches_wildcard("\\*", "x"));
}

RC_GTEST_PROP(Ec2Filter, EscapedTextMatchesItselfOnly, (std::string text, std::string other)) {
  std::string pattern;
  for (const char c : text) {
    pattern += '\\';
    pattern += c;
  }
  RC_ASSERT(matches_wildcard(pattern, text));
  RC_ASSERT(matches_wildcard(pattern, other) == (text == other));
  RC_ASSERT(matches_wildcard(pattern + "*", text + other));
  RC_ASSERT(matches_wildcard("*" + pattern, other + text));
}

}  // namespace
}  // namespace hikae::api::ec2::handlers
