#include "api/pattern.h"

#include <regex>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace hikae::api {
namespace {

TEST(Pattern, MatchesTheWholeText) {
  EXPECT_TRUE(matches_pattern("a1-b", "[a-zA-Z][a-zA-Z0-9\\-]*"));
  EXPECT_TRUE(matches_pattern("a", "[a-zA-Z][a-zA-Z0-9\\-]*"));
  EXPECT_FALSE(matches_pattern("", "[a-zA-Z][a-zA-Z0-9\\-]*"));
  EXPECT_FALSE(matches_pattern("1a", "[a-zA-Z][a-zA-Z0-9\\-]*"));
  EXPECT_FALSE(matches_pattern("a_b", "[a-zA-Z][a-zA-Z0-9\\-]*"));
  EXPECT_TRUE(matches_pattern("0001", "\\d+"));
  EXPECT_FALSE(matches_pattern("", "\\d+"));
  EXPECT_FALSE(matches_pattern("00x", "\\d+"));
  EXPECT_TRUE(matches_pattern("  on ~* +@all", ".*\\S.*"));
  EXPECT_FALSE(matches_pattern("   ", ".*\\S.*"));
  EXPECT_TRUE(matches_pattern("", "[a-zA-Z]*"));
}

TEST(Pattern, IsFastOnHostileText) {
  // A backtracking matcher needs ages for this.
  const std::string spaces(200'000, ' ');
  EXPECT_FALSE(matches_pattern(spaces, ".*.*.*\\S.*"));
}

RC_GTEST_PROP(Pattern, AgreesWithTheStandardLibrary, ()) {
  const auto pattern = *rc::gen::elementOf(std::vector<std::string>{
      "[a-b][a-b0-9\\-]*", "\\d+", ".*\\S.*", "a?b+", "a*ab", "[ab]+b?\\-"});
  const auto text = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab01- ")));
  RC_ASSERT(matches_pattern(text, pattern) == std::regex_match(text, std::regex(pattern)));
}

}  // namespace
}  // namespace hikae::api
