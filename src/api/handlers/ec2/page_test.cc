#include "api/handlers/ec2/page.h"

#include <gtest/gtest.h>

namespace hikae::api::ec2::handlers {
namespace {

std::string key_of(const std::string& item) {
  return item;
}

TEST(Ec2Page, WalksAllItems) {
  const std::vector<std::string> items = {"a", "b", "c", "d", "e", "f", "g"};
  std::vector<std::string> seen;
  std::optional<std::string> token;
  int pages = 0;
  do {
    const auto page = paginate(items, 3, token, key_of);
    ASSERT_TRUE(page);
    seen.insert(seen.end(), page->items.begin(), page->items.end());
    token = page->next_token;
    ++pages;
  } while (token && pages < 10);
  EXPECT_EQ(seen, items);
  EXPECT_EQ(pages, 3);
}

TEST(Ec2Page, SurvivesDeletionOfTheLastSeen) {
  const auto first = paginate(std::vector<std::string>{"a", "b", "c", "d"}, 2, {}, key_of);
  ASSERT_TRUE(first && first->next_token);
  const auto second =
      paginate(std::vector<std::string>{"a", "c", "d"}, 2, first->next_token, key_of);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->items, (std::vector<std::string>{"c", "d"}));
  EXPECT_FALSE(second->next_token);
}

TEST(Ec2Page, RefusesForeignTokensAndIdsWithPages) {
  const std::vector<std::string> items = {"a"};
  for (const char* token : {"x", "bm90IG91cnM=", "!"}) {
    const auto page = paginate(items, 5, std::string(token), key_of);
    ASSERT_FALSE(page) << token;
    EXPECT_EQ(page.error().code, "InvalidNextToken");
  }
  EXPECT_TRUE(check_page_of_ids(items, std::nullopt));
  EXPECT_TRUE(check_page_of_ids(std::nullopt, 5));
  EXPECT_EQ(check_page_of_ids(items, 5).error().code, "InvalidParameterCombination");
}

}  // namespace
}  // namespace hikae::api::ec2::handlers
