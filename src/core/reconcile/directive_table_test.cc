#include "core/reconcile/directive_table.h"

#include <gtest/gtest.h>

#include "core/testing/world.h"

namespace hikae::core {
namespace {

TEST(DirectiveTable, TellsWhatAClusterIsConfiguredWithAfterEveryChange) {
  World world;
  world.make_group("foo", 2);
  DirectiveTable table;
  const SharedMap before = table.of(world.state, world.cluster("foo-001"));
  EXPECT_EQ(before.at("maxmemory-policy"), "volatile-lru");
  EXPECT_EQ(&before.get(), &table.of(world.state, world.cluster("foo-002")).get());

  ParameterGroup group;
  group.name = world.cluster("foo-001").settings.parameter_group;
  group.family = "redis7";
  group.overrides["maxmemory-policy"] = "noeviction";
  Transition change;
  change.put(group);
  world.apply(change);
  EXPECT_EQ(table.of(world.state, world.cluster("foo-001")).at("maxmemory-policy"), "noeviction");

  CacheCluster larger = world.cluster("foo-001");
  larger.settings.node_type = "cache.r5.large";
  change = {};
  change.put(larger);
  world.apply(change);
  EXPECT_NE(table.of(world.state, world.cluster("foo-001")).at("maxmemory"),
            table.of(world.state, world.cluster("foo-002")).at("maxmemory"));
}

}  // namespace
}  // namespace hikae::core
