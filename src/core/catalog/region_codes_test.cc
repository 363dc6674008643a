#include "core/catalog/region_codes.h"

#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace hikae::core {
namespace {

TEST(RegionCodes, AreThoseOfAws) {
  const std::vector<std::pair<std::string, std::string>> known = {
      {"us-east-1", "use1"},       {"us-east-2", "use2"},       {"us-west-1", "usw1"},
      {"us-west-2", "usw2"},       {"ca-central-1", "cac1"},    {"ca-west-1", "caw1"},
      {"mx-central-1", "mxc1"},    {"sa-east-1", "sae1"},       {"eu-west-1", "euw1"},
      {"eu-west-2", "euw2"},       {"eu-west-3", "euw3"},       {"eu-central-1", "euc1"},
      {"eu-central-2", "euc2"},    {"eu-north-1", "eun1"},      {"eu-south-1", "eus1"},
      {"eu-south-2", "eus2"},      {"ap-northeast-1", "apne1"}, {"ap-northeast-2", "apne2"},
      {"ap-northeast-3", "apne3"}, {"ap-southeast-1", "apse1"}, {"ap-southeast-7", "apse7"},
      {"ap-south-1", "aps1"},      {"ap-south-2", "aps2"},      {"ap-east-1", "ape1"},
      {"ap-east-2", "ape2"},       {"af-south-1", "afs1"},      {"me-south-1", "mes1"},
      {"me-central-1", "mec1"},    {"il-central-1", "ilc1"},    {"cn-north-1", "cnn1"},
      {"cn-northwest-1", "cnnw1"}, {"us-gov-east-1", "usge1"},  {"us-gov-west-1", "usgw1"},
  };
  for (const auto& [region, code] : known) {
    EXPECT_EQ(region_code(region), code) << region;
  }
}

TEST(RegionCodes, OfUnknownRegionsAreDnsLabels) {
  EXPECT_EQ(region_code("home"), "home");
  EXPECT_EQ(region_code("My_Lab-rack-12"), "mylabr12");
  EXPECT_EQ(region_code("--"), "local");
  EXPECT_EQ(region_code(""), "local");
  EXPECT_LE(region_code("a-1111111111-2222222222-3333333333").size(), 16u);
}

TEST(RegionCodes, ZoneIdsCountLetters) {
  EXPECT_EQ(zone_id("ap-northeast-1", "ap-northeast-1a"), "apne1-az1");
  EXPECT_EQ(zone_id("us-east-1", "us-east-1f"), "use1-az6");
}

}  // namespace
}  // namespace hikae::core
