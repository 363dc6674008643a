#include <map>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "codec/query/form.h"
#include "codec/query/query_node.h"
#include "codec/query/scalars.h"
#include "codec/text/encoding.h"

namespace hikae::codec {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

QueryTree tree_of(std::string_view text) {
  auto form = Form::parse(text);
  EXPECT_TRUE(form.has_value());
  auto tree = build_query_tree(*form);
  EXPECT_TRUE(tree.has_value());
  return std::move(*tree);
}

std::vector<std::string> values(const std::vector<const QueryNode*>& nodes) {
  std::vector<std::string> out;
  for (const QueryNode* node : nodes) {
    out.push_back(node->value() != nullptr ? *node->value() : "(none)");
  }
  return out;
}

TEST(Form, KeepsOrderAndDecodes) {
  const auto form = Form::parse("Action=X&b=a+b%2Bc%2A~%2F%C3%A9&&flag&empty=&b=second&e=1=2");
  ASSERT_TRUE(form.has_value());
  EXPECT_EQ(form->parameters().size(), 6u);
  EXPECT_EQ(*form->find("b"), "a b+c*~/\xC3\xA9");
  EXPECT_EQ(*form->find("flag"), "");
  EXPECT_EQ(*form->find("empty"), "");
  EXPECT_EQ(*form->find("e"), "1=2");
  EXPECT_EQ(form->find("B"), nullptr);
  EXPECT_EQ(form->parameters().back().name, "e");
}

TEST(Form, RefusesWhatIsNotText) {
  for (const char* text : {"a=%zz", "a=%4", "%=1", "a=%FF", "a=%00", "a=\xC3("}) {
    const auto form = Form::parse(text);
    ASSERT_FALSE(form.has_value()) << text;
    EXPECT_EQ(form.error().code, ErrorCode::kInvalid) << text;
  }
}

TEST(Form, HasLimits) {
  std::string many;
  for (std::size_t i = 0; i < kMaxParameters; ++i) {
    many += "a=1&";
  }
  EXPECT_TRUE(Form::parse(many).has_value());
  EXPECT_EQ(Form::parse(many + "b=1").error().code, ErrorCode::kExhausted);
  const std::string name(kMaxNameLength, 'n');
  EXPECT_TRUE(Form::parse(name + "=1").has_value());
  EXPECT_EQ(Form::parse(name + "n=1").error().code, ErrorCode::kExhausted);
  const std::string value(kMaxValueLength, 'v');
  EXPECT_TRUE(Form::parse("a=" + value).has_value());
  EXPECT_EQ(Form::parse("a=v" + value).error().code, ErrorCode::kExhausted);
}

RC_GTEST_PROP(Form, RoundTrip, (const std::map<std::string, std::string>& input)) {
  std::string text;
  std::map<std::string, std::string> expected;
  for (const auto& [name, value] : input) {
    // Each for itself: two halves of one character are none.
    if (is_valid_utf8(name) && is_valid_utf8(value) &&
        (name + value).find('\0') == std::string::npos) {
      text += "&" + percent_encode(name) + "=" + percent_encode(value);
      expected[name] = value;
    }
  }
  const auto form = Form::parse(text);
  RC_ASSERT(form.has_value());
  RC_ASSERT(form->parameters().size() == expected.size());
  for (const auto& [name, value] : expected) {
    RC_ASSERT(form->find(name) != nullptr && *form->find(name) == value);
  }
}

TEST(QueryTree, StructuresNest) {
  const auto tree = tree_of("A.B.C=1&A.B=2&A.D=3&AB=4&A-B=5");
  const QueryNode* a = tree.root().child("A");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->value(), nullptr);
  ASSERT_NE(a->child("B"), nullptr);
  EXPECT_EQ(*a->child("B")->value(), "2");
  EXPECT_EQ(*a->child("B")->child("C")->value(), "1");
  EXPECT_EQ(*a->child("D")->value(), "3");
  EXPECT_EQ(*tree.root().child("AB")->value(), "4");
  EXPECT_EQ(*tree.root().child("A-B")->value(), "5");
  EXPECT_EQ(tree.root().child("C"), nullptr);
  EXPECT_EQ(a->child("B")->child("C")->child("X"), nullptr);
}

TEST(QueryTree, ListsAcceptAnyInfixInNumericOrderWithGaps) {
  const auto tree = tree_of(
      "Names.member.10=j&Names.member.2=b&Names.member.7=g&Names.member.x=ignored&"
      "Groups.CacheSecurityGroupName.2=two&Groups.CacheSecurityGroupName.1=one");
  EXPECT_THAT(values(tree.root().child("Names")->wrapped_items()), ElementsAre("b", "g", "j"));
  EXPECT_THAT(values(tree.root().child("Groups")->wrapped_items()), ElementsAre("one", "two"));
}

TEST(QueryTree, ListsOfStructuresAndListsInThem) {
  const auto tree = tree_of(
      "NodeGroupConfiguration.NodeGroupConfiguration.1.Slots=0-8191&"
      "NodeGroupConfiguration.NodeGroupConfiguration.1.ReplicaAvailabilityZones.AvailabilityZone.2="
      "z2&NodeGroupConfiguration.NodeGroupConfiguration.1.ReplicaAvailabilityZones."
      "AvailabilityZone.1=z1&NodeGroupConfiguration.NodeGroupConfiguration.2.Slots=8192-16383");
  const auto items = tree.root().child("NodeGroupConfiguration")->wrapped_items();
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(*items[0]->child("Slots")->value(), "0-8191");
  EXPECT_THAT(values(items[0]->child("ReplicaAvailabilityZones")->wrapped_items()),
              ElementsAre("z1", "z2"));
  EXPECT_EQ(*items[1]->child("Slots")->value(), "8192-16383");
}

TEST(QueryTree, FlatLists) {
  const auto tree = tree_of("Filter.1.Name=vpc-id&Filter.1.Value.2=b&Filter.1.Value.1=a&VpcId.1=v");
  const auto filters = tree.root().child("Filter")->flat_items();
  ASSERT_EQ(filters.size(), 1u);
  EXPECT_THAT(values(filters[0]->child("Value")->flat_items()), ElementsAre("a", "b"));
  EXPECT_THAT(values(tree.root().child("VpcId")->flat_items()), ElementsAre("v"));
}

TEST(QueryTree, BareNameIsAnEmptyList) {
  const auto tree = tree_of("SubnetIds=&Other=x&Both=&Both.member.1=a");
  EXPECT_TRUE(tree.root().child("SubnetIds")->empty_list_marker());
  EXPECT_THAT(tree.root().child("SubnetIds")->wrapped_items(), IsEmpty());
  EXPECT_FALSE(tree.root().child("Other")->empty_list_marker());
  EXPECT_FALSE(tree.root().child("Both")->empty_list_marker());
}

TEST(QueryTree, FirstOfEqualNamesWins) {
  EXPECT_EQ(*tree_of("a.b=1&c=3&a.b=2").root().child("a")->child("b")->value(), "1");
}

TEST(QueryTree, StaysValidWhenMoved) {
  auto tree = tree_of("a.b=1");
  const QueryTree moved = std::move(tree);
  EXPECT_EQ(*moved.root().child("a")->child("b")->value(), "1");
}

TEST(QueryTree, DepthIsLimited) {
  std::string name = "a";
  for (std::size_t i = 1; i < kMaxQueryDepth; ++i) {
    name += ".a";
  }
  EXPECT_TRUE(build_query_tree(*Form::parse(name + "=1")).has_value());
  EXPECT_EQ(build_query_tree(*Form::parse(name + ".a=1")).error().code, ErrorCode::kExhausted);
}

RC_GTEST_PROP(QueryTree, EveryNameLeadsToItsValue, ()) {
  const auto token = rc::gen::elementOf(std::string("ab1-"));
  const auto names = *rc::gen::container<std::vector<std::vector<char>>>(
      rc::gen::resize(4, rc::gen::container<std::vector<char>>(token)));
  std::string text;
  std::map<std::string, std::string> expected;
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::string name;
    for (const char c : names[i]) {
      name += name.empty() ? std::string(1, c) : std::string(".") + c;
    }
    text += fmt::format("&{}={}", name, i);
    expected.emplace(name, std::to_string(i));
  }
  const auto tree = tree_of(text);
  for (const auto& [name, value] : expected) {
    const QueryNode* node = &tree.root();
    std::string_view rest = name;
    while (node != nullptr) {
      const auto dot = rest.find('.');
      node = node->child(rest.substr(0, dot));
      if (dot == std::string_view::npos) {
        break;
      }
      rest.remove_prefix(dot + 1);
    }
    RC_ASSERT(node != nullptr && node->value() != nullptr);
    RC_ASSERT(*node->value() == value);
  }
}

TEST(Scalars, Booleans) {
  EXPECT_EQ(parse_bool("true"), true);
  EXPECT_EQ(parse_bool("False"), false);
  EXPECT_EQ(parse_bool("1"), true);
  EXPECT_EQ(parse_bool("0"), false);
  EXPECT_EQ(parse_bool("yes"), std::nullopt);
  EXPECT_EQ(parse_bool(""), std::nullopt);
}

TEST(Scalars, Numbers) {
  EXPECT_EQ(parse_int32("-2147483648"), -2147483648LL);
  EXPECT_EQ(parse_int32("2147483648"), std::nullopt);
  EXPECT_EQ(parse_int64("9223372036854775807"), 9223372036854775807LL);
  EXPECT_EQ(parse_int64("9223372036854775808"), std::nullopt);
  EXPECT_EQ(parse_int64("1.0"), std::nullopt);
  EXPECT_EQ(parse_double("2.5e3"), 2500.0);
  for (const char* text : {"", "inf", "nan", "0x10", "1 ", "1e999"}) {
    EXPECT_EQ(parse_double(text), std::nullopt) << text;
  }
}

TEST(Scalars, Timestamps) {
  const Instant t(1'411'991'696'500'000);
  EXPECT_EQ(parse_timestamp(to_iso8601(t)), t);
  EXPECT_EQ(parse_timestamp("1411991696.5"), t);
  EXPECT_EQ(parse_timestamp("-1"), std::nullopt);
  EXPECT_EQ(parse_timestamp("1e300"), std::nullopt);
  EXPECT_EQ(parse_timestamp("yesterday"), std::nullopt);
}

}  // namespace
}  // namespace hikae::codec
