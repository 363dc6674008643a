#include "api/handlers/elasticache/common.h"

#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace hikae::api::elasticache {
namespace {

std::vector<std::string> take_page(const std::set<std::string>& keys, std::int32_t max_records,
                                   std::optional<std::string>& marker) {
  auto pager = Pager::open("List", max_records, marker);
  EXPECT_TRUE(pager);
  std::vector<std::string> page;
  for (const std::string& key : keys) {
    if (pager->take(key)) {
      page.push_back(key);
    }
  }
  marker = pager->marker();
  return page;
}

RC_GTEST_PROP(Pager, EveryItemIsOnOnePage, (std::uint8_t count)) {
  std::set<std::string> keys;
  for (std::size_t i = 0; i < count; ++i) {
    keys.insert(pager_key(i));
  }
  std::vector<std::string> seen;
  std::optional<std::string> marker;
  do {
    const auto page = take_page(keys, kLeastRecords, marker);
    RC_ASSERT(page.size() <= std::size_t(kLeastRecords));
    RC_ASSERT(!marker || page.size() == std::size_t(kLeastRecords));
    seen.insert(seen.end(), page.begin(), page.end());
  } while (marker);
  RC_ASSERT(seen == std::vector<std::string>(keys.begin(), keys.end()));
}

TEST(Pager, AFullLastPageHasNoMarker) {
  std::set<std::string> keys;
  for (std::uint64_t i = 0; i < kLeastRecords; ++i) {
    keys.insert(pager_key(i));
  }
  std::optional<std::string> marker;
  EXPECT_EQ(take_page(keys, kLeastRecords, marker).size(), keys.size());
  EXPECT_FALSE(marker);
}

TEST(Pager, ItemsMayVanishBetweenPages) {
  std::set<std::string> keys;
  for (std::uint64_t i = 0; i < 50; ++i) {
    keys.insert(pager_key(i));
  }
  std::optional<std::string> marker;
  const auto first = take_page(keys, 20, marker);
  keys.erase(first.back());
  keys.erase(pager_key(20));
  EXPECT_EQ(take_page(keys, 20, marker).front(), pager_key(21));
}

TEST(Pager, BadMarkersAndSizesAreRefused) {
  auto pager = Pager::open("List", 20, std::nullopt);
  ASSERT_TRUE(pager);
  for (std::uint64_t i = 0; i < 21; ++i) {
    pager->take(pager_key(i));
  }
  const std::optional<std::string> marker = pager->marker();
  ASSERT_TRUE(marker);
  EXPECT_TRUE(Pager::open("List", 20, marker));
  EXPECT_EQ(Pager::open("Other", 20, marker).error().code, "InvalidParameterValue");
  EXPECT_EQ(Pager::open("List", 20, "???").error().code, "InvalidParameterValue");
  EXPECT_EQ(Pager::open("List", 20, "TGlzdAo=").error().code, "InvalidParameterValue");
  EXPECT_EQ(Pager::open("List", 19, std::nullopt).error().code, "InvalidParameterValue");
  EXPECT_EQ(Pager::open("List", 101, std::nullopt).error().code, "InvalidParameterValue");
}

TEST(Tags, AreCheckedAndComeBackSorted) {
  std::vector<Tag> sent(2);
  sent[0].key = "b";
  sent[0].value = "1";
  sent[1].key = "a";
  const auto tags = read_tags(sent);
  ASSERT_TRUE(tags);
  const std::vector<Tag> back = to_tags(*tags);
  ASSERT_EQ(back.size(), 2u);
  EXPECT_EQ(back[0].key, "a");
  EXPECT_EQ(back[0].value, "");
  sent[1].key = "aws:a";
  EXPECT_EQ(read_tags(sent).error().code, "InvalidParameterValue");
  EXPECT_TRUE(read_tags(std::nullopt)->empty());
}

}  // namespace
}  // namespace hikae::api::elasticache
