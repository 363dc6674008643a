#include "core/catalog/catalog.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace hikae::core {
namespace {

TEST(Catalog, TablesAreWhole) {
  EXPECT_EQ(node_types().size(), 112u);
  EXPECT_EQ(parameter_families().size(), 13u);
  std::set<std::string_view> families;
  for (const ParameterFamily& family : parameter_families()) {
    EXPECT_TRUE(families.insert(family.name).second);
    EXPECT_FALSE(family.parameters.empty());
  }
  for (const EngineVersion& version : engine_versions()) {
    const ParameterFamily* family = find_family(version.family);
    ASSERT_NE(family, nullptr) << version.family;
    EXPECT_EQ(family->engine, version.engine);
  }
}

TEST(Catalog, EngineVersionsAreSortedAsStrings) {
  const auto versions = engine_versions();
  EXPECT_TRUE(std::is_sorted(versions.begin(), versions.end(), [](const auto& a, const auto& b) {
    return std::pair(a.engine, a.version) < std::pair(b.engine, b.version);
  }));
}

TEST(Catalog, ParametersAreSortedByNameWithoutHyphens) {
  const auto key = [](const Parameter& parameter) {
    std::string name(parameter.name);
    std::erase(name, '-');
    return name;
  };
  for (const ParameterFamily& family : parameter_families()) {
    EXPECT_TRUE(
        std::is_sorted(family.parameters.begin(), family.parameters.end(),
                       [&key](const Parameter& a, const Parameter& b) { return key(a) < key(b); }))
        << family.name;
  }
}

TEST(Catalog, ARequestedVersionIsFound) {
  EXPECT_EQ(find_engine_version("redis", "2.8.6")->family, "redis2.8");
  EXPECT_EQ(find_engine_version("redis", "6.x")->version, "6.2");
  EXPECT_EQ(find_engine_version("redis", "6.2")->full, "6.2.6");
  EXPECT_EQ(find_engine_version("redis", "6.2.6"), nullptr);
  EXPECT_EQ(find_engine_version("redis", "")->version, "7.1");
  EXPECT_EQ(find_engine_version("memcached", "")->version, "1.6.22");
  EXPECT_EQ(find_engine_version("redis", "4.0.13"), nullptr);
  EXPECT_EQ(find_engine_version("valkey", "6.2"), nullptr);
  EXPECT_EQ(find_engine_version("mysql", ""), nullptr);
}

TEST(Catalog, VersionsCompareByNumber) {
  EXPECT_EQ(compare_versions("2.8.6", "2.8.21"), -1);
  EXPECT_EQ(compare_versions("6.2", "6.2.0"), 0);
  EXPECT_EQ(compare_versions("7", "6.2.6"), 1);
  EXPECT_EQ(compare_versions("", "1"), -1);
}

TEST(Catalog, DefaultGroupNamesRoundTrip) {
  for (const ParameterFamily& family : parameter_families()) {
    for (const bool cluster_on : {false, true}) {
      const auto group =
          find_default_parameter_group(default_parameter_group_name(family, cluster_on));
      EXPECT_EQ(group.has_value(), !cluster_on || family.has_cluster_on);
      if (group) {
        EXPECT_EQ(group->family, &family);
        EXPECT_EQ(group->cluster_on, cluster_on);
      }
    }
  }
  EXPECT_FALSE(find_default_parameter_group("redis2.8"));
  EXPECT_FALSE(find_default_parameter_group("default."));
}

TEST(Catalog, NodeTypesKnowTheirEngines) {
  const NodeType* old = find_node_type("cache.m3.medium");
  ASSERT_NE(old, nullptr);
  EXPECT_EQ(old->memory_bytes, 2988441600u);
  EXPECT_EQ(min_version(*old, "redis"), "2.8.6");
  EXPECT_EQ(min_version(*old, "valkey"), "");
  EXPECT_FALSE(find_node_type("cache.t1.micro")->multi_az_allowed);
  EXPECT_EQ(find_node_type("cache.z9.huge"), nullptr);
}

}  // namespace
}  // namespace hikae::core
