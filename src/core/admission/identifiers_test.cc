#include "core/admission/identifiers.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace hikae::core {
namespace {

TEST(Identifiers, AreStoredInLowerCase) {
  EXPECT_EQ(parse_replication_group_id("Foo-1")->str(), "foo-1");
  EXPECT_EQ(lookup_id<CacheClusterId>("FOO.x").str(), "foo.x");
}

TEST(Identifiers, BadOnesGetAwsMessage) {
  for (const char* bad : {"", "1a", "-a", "a-", "a--b", "a.b", "a_b", "a b", "\xC3\xA9"}) {
    const auto id = parse_cache_cluster_id(bad);
    ASSERT_FALSE(id) << bad;
    EXPECT_EQ(id.error().code, "InvalidParameterValue");
    EXPECT_EQ(id.error().message,
              "The parameter CacheClusterIdentifier is not a valid identifier. Identifiers must "
              "begin with a letter; must contain only ASCII letters, digits, and hyphens; and must "
              "not end with a hyphen or contain two consecutive hyphens.");
  }
}

TEST(Identifiers, LengthsAreLimited) {
  EXPECT_TRUE(parse_replication_group_id(std::string(40, 'a')));
  EXPECT_EQ(parse_replication_group_id(std::string(41, 'a')).error().message,
            "Replication group id should be no more than 40 characters.");
  EXPECT_TRUE(parse_cache_cluster_id(std::string(50, 'a')));
  EXPECT_FALSE(parse_cache_cluster_id(std::string(51, 'a')));
  EXPECT_FALSE(parse_subnet_group_name(std::string(256, 'a')));
}

RC_GTEST_PROP(Identifiers, AcceptedOnesStayTheSameWhenReadAgain, (const std::string& text)) {
  const auto once = parse_subnet_group_name(text);
  if (once) {
    const auto again = parse_subnet_group_name(once->str());
    RC_ASSERT(again && *again == *once);
    RC_ASSERT(once->str().find("--") == std::string::npos);
  }
}

}  // namespace
}  // namespace hikae::core
