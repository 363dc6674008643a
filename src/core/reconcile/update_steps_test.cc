#include "core/reconcile/update_steps.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "core/admission/group_changes.h"
#include "core/admission/service_update.h"
#include "core/state/updates.h"
#include "core/testing/world.h"

namespace hikae::core {
namespace {

constexpr const char* kUpdate = "valkey-8.0.2";

// A region whose engines run 8.0.1; what is installed may change under them.
class UpdateWorld : public World {
 public:
  std::string installed = "8.0.1";

  // Agents do at once what they are told, and tell which program runs.
  void work() {
    agents_work();
    for (auto& [key, seen] : observed.nodes) {
      auto& [generation, version] = running_[key];
      if (generation != seen.generation) {
        generation = seen.generation;
        version = installed;
      }
      const CacheCluster& member = cluster(key.cluster.str());
      seen.running_version = version;
      seen.newer_program = version < installed ? "valkey " + installed : "";
      seen.outdated = member.upgrade.updates() && !seen.newer_program.empty();
    }
  }
  Plan plan_once(const std::string& id) {
    const auto* group = state.find<ReplicationGroup>(ReplicationGroupId(id));
    return group != nullptr
               ? plan_replication_group(state, observed, ReplicationGroupId(id), context())
               : plan_standalone_cluster(state, observed, CacheClusterId(id), context());
  }
  bool step(const std::string& id) {
    work();
    const Plan plan = plan_once(id);
    if (!plan.transition.empty()) {
      apply(plan.transition);
    }
    return !plan.transition.empty();
  }
  void settle(const std::string& id) {
    for (int steps = 0; step(id); ++steps) {
      ASSERT_LT(steps, 200) << plan_once(id).reason;
    }
  }
  void make(const std::string& id, int members) {
    CreateReplicationGroup command;
    command.id = id;
    command.num_cache_clusters = members;
    command.automatic_failover = members > 1;
    command.settings.node_type = "cache.m5.large";
    command.settings.engine = "valkey";
    command.settings.engine_version = "8.0";
    command.settings.maintenance_window = "sun:05:00-sun:06:00";
    ASSERT_EQ(admit_code(command), "");
    settle(id);
    ASSERT_EQ(group(id).status, "available");
  }
  void make_standalone(const std::string& id) {
    CreateCacheCluster command;
    command.id = id;
    command.settings.node_type = "cache.m5.large";
    command.settings.engine = "valkey";
    command.settings.engine_version = "8.0";
    command.settings.maintenance_window = "sun:05:00-sun:06:00";
    ASSERT_EQ(admit_code(command), "");
    settle(id);
  }
  const UpdateAction* action(const std::string& group, const std::string& update = kUpdate) {
    return state.find<UpdateAction>(
        update_action_id(ReplicationGroupId(group), {}, ServiceUpdateName(update)));
  }
  std::vector<UpdateResult> apply_to(const std::vector<std::string>& groups,
                                     const std::vector<std::string>& clusters = {}) {
    return change(apply_update, {kUpdate, groups, clusters});
  }
  std::vector<UpdateResult> stop(const std::string& group) {
    return change(stop_update, {kUpdate, {group}, {}});
  }
  bool told(const std::string& source, const std::string& text) {
    const auto& events = state.all<Event>();
    return std::any_of(events.begin(), events.end(), [&](const auto& entry) {
      return entry.second.source == source && entry.second.message == text;
    });
  }
  std::string statuses(const std::string& group) {
    std::string out;
    for (const NodeUpdate& node : action(group)->nodes) {
      out += (out.empty() ? "" : " ") + node.status;
    }
    return out;
  }

 private:
  template <class F>
  std::vector<UpdateResult> change(F function, const UpdateRequest& request) {
    const auto outcome = function(state, request, context());
    EXPECT_TRUE(outcome) << (outcome ? "" : outcome.error().message);
    if (!outcome) {
      return {};
    }
    if (!outcome->transition.empty()) {
      apply(outcome->transition);
    }
    return outcome->results;
  }

  std::map<NodeKey, std::pair<std::uint64_t, std::string>> running_;
};

TEST(ServiceUpdate, ANewerInstalledProgramIsOfferedToWhoRunsAnOlderOne) {
  UpdateWorld world;
  world.make("foo", 3);
  EXPECT_TRUE(world.state.all<ServiceUpdate>().empty());
  world.installed = "8.0.2";
  world.settle("foo");
  const auto* update = world.state.find<ServiceUpdate>(ServiceUpdateName(kUpdate));
  ASSERT_NE(update, nullptr);
  EXPECT_EQ(update->engine, "valkey");
  EXPECT_EQ(update->version, "8.0.2");
  ASSERT_NE(world.action("foo"), nullptr);
  EXPECT_EQ(world.action("foo")->status, "not-applied");
  EXPECT_TRUE(world.action("foo")->minor);
  EXPECT_EQ(world.statuses("foo"), "not-applied not-applied not-applied");
  EXPECT_TRUE(world.told("foo-002", "Service update is available for cache node 0001."));
  EXPECT_EQ(world.group("foo").status, "available");
  // A group that is made now runs the new program: there is nothing to apply.
  world.make("bar", 1);
  EXPECT_EQ(world.action("bar"), nullptr);
}

TEST(ServiceUpdate, IsRolledThroughTheMembersReplicasFirst) {
  UpdateWorld world;
  world.make("foo", 3);
  world.installed = "8.0.2";
  world.settle("foo");
  const auto results = world.apply_to({"foo"});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].status, "waiting-to-start");
  EXPECT_EQ(world.group("foo").status, "modifying");
  EXPECT_EQ(world.statuses("foo"), "waiting-to-start waiting-to-start waiting-to-start");
  std::vector<std::string> seen;
  for (int steps = 0; world.step("foo"); ++steps) {
    ASSERT_LT(steps, 200);
    const std::string now = world.action("foo")->status + ": " + world.statuses("foo");
    if (seen.empty() || seen.back() != now) {
      seen.push_back(now);
    }
  }
  const std::vector<std::string> expected = {
      "waiting-to-start: waiting-to-start waiting-to-start waiting-to-start",
      "in-progress: waiting-to-start in-progress waiting-to-start",
      "in-progress: waiting-to-start complete waiting-to-start",
      "in-progress: waiting-to-start complete in-progress",
      "in-progress: waiting-to-start complete complete",
      "in-progress: in-progress complete complete",
      "complete: complete complete complete"};
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(world.group("foo").status, "available");
  EXPECT_NE(world.group("foo").node_groups[0].primary.str(), "foo-001") << "by a switchover";
  for (const NodeUpdate& node : world.action("foo")->nodes) {
    EXPECT_NE(node.started_at, Instant());
    EXPECT_GE(node.ended_at, node.started_at);
    EXPECT_EQ(world.cluster(node.node.cluster.str()).nodes[0].generation, 2u);
  }
  EXPECT_EQ(world.action("foo")->initiated_by, "customer");
  EXPECT_TRUE(world.told("foo-003", "Cache cluster patched"));
  EXPECT_EQ(world.apply_to({"foo"})[0].refusal.code, "InvalidParameterValue") << "once";
}

TEST(ServiceUpdate, WhatWaitsForTheMaintenanceWindowGoesOnWaiting) {
  UpdateWorld world;
  world.make("foo", 2);
  ModifyReplicationGroup modify;
  modify.id = "foo";
  modify.settings.node_type = "cache.m5.xlarge";
  ASSERT_EQ(world.admit_code(modify), "");
  world.installed = "8.0.2";
  world.settle("foo");
  world.apply_to({"foo"});
  world.settle("foo");
  EXPECT_EQ(world.action("foo")->status, "complete");
  EXPECT_EQ(world.group("foo").settings.node_type, "cache.m5.large");
  EXPECT_EQ(world.group("foo").pending.node_type, "cache.m5.xlarge");
}

TEST(ServiceUpdate, StoppedItFinishesTheNodeInHandAndCanBeAppliedAgain) {
  UpdateWorld world;
  world.make("foo", 3);
  world.installed = "8.0.2";
  world.settle("foo");
  world.apply_to({"foo"});
  while (world.statuses("foo").find("in-progress") == std::string::npos) {
    ASSERT_TRUE(world.step("foo"));
  }
  EXPECT_EQ(world.stop("foo")[0].status, "stopping");
  world.settle("foo");
  EXPECT_EQ(world.action("foo")->status, "stopped");
  EXPECT_EQ(world.statuses("foo"), "stopped complete stopped");
  EXPECT_EQ(world.group("foo").status, "available");
  EXPECT_EQ(world.cluster("foo-002").nodes[0].generation, 2u) << "and is not taken back";
  EXPECT_EQ(world.stop("foo")[0].refusal.code, "InvalidParameterValue");
  EXPECT_EQ(world.apply_to({"foo"})[0].status, "waiting-to-start");
  world.settle("foo");
  EXPECT_EQ(world.statuses("foo"), "complete complete complete");
  EXPECT_EQ(world.cluster("foo-002").nodes[0].generation, 2u) << "it had it already";
}

TEST(ServiceUpdate, StoppedBeforeItBeganNothingIsRestarted) {
  UpdateWorld world;
  world.make("foo", 2);
  world.installed = "8.0.2";
  world.settle("foo");
  world.apply_to({"foo"});
  EXPECT_EQ(world.stop("foo")[0].status, "stopped");
  world.settle("foo");
  EXPECT_EQ(world.action("foo")->status, "stopped");
  EXPECT_EQ(world.group("foo").status, "available");
  EXPECT_EQ(world.cluster("foo-002").nodes[0].generation, 1u);
}

TEST(ServiceUpdate, ASingleNodeIsRestartedWithItsData) {
  UpdateWorld world;
  world.make_standalone("one");
  world.installed = "8.0.2";
  world.settle("one");
  EXPECT_EQ(world.apply_to({}, {"one"})[0].status, "waiting-to-start");
  bool kept = false;
  while (world.step("one")) {
    kept = kept || world.cluster("one").nodes[0].keep_data;
  }
  EXPECT_TRUE(kept);
  EXPECT_EQ(world.cluster("one").nodes[0].generation, 2u);
  const auto* action = world.state.find<UpdateAction>(
      update_action_id({}, CacheClusterId("one"), ServiceUpdateName(kUpdate)));
  ASSERT_NE(action, nullptr);
  EXPECT_EQ(action->status, "complete");
}

TEST(ServiceUpdate, EachIdIsRefusedForItself) {
  UpdateWorld world;
  world.make("foo", 2);
  world.make("busy", 2);
  world.installed = "8.0.2";
  world.settle("foo");
  world.settle("busy");
  world.make("fresh", 1);
  RebootCacheCluster reboot{"busy-002", {"0001"}};
  ASSERT_EQ(world.admit_code(reboot), "");
  const auto results =
      world.apply_to({"absent", "fresh", "busy", "FOO", "foo"}, {"foo-001", "gone"});
  std::vector<std::string> codes;
  for (const UpdateResult& result : results) {
    codes.push_back(result.id + " " + (result.status.empty() ? result.refusal.code : "done"));
  }
  EXPECT_EQ(codes, (std::vector<std::string>{
                       "absent ReplicationGroupNotFoundFault", "fresh InvalidParameterValue",
                       "busy InvalidCacheClusterState", "foo done", "foo-001 InvalidParameterValue",
                       "gone CacheClusterNotFound"}));
  const auto unknown = apply_update(world.state, {"valkey-9", {"foo"}, {}}, world.context());
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, "ServiceUpdateNotFoundFault");
  const auto nobody = stop_update(world.state, {kUpdate, {}, {}}, world.context());
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, "InvalidParameterValue");
}

// 2023-11-19 is a Sunday.
constexpr Instant kInTheWindow{1'700'370'000'000'000};

TEST(ServiceUpdate, TheMaintenanceWindowAppliesItWhereTheCustomerAllowsThat) {
  UpdateWorld world;
  world.make("foo", 2);
  world.make("careful", 2);
  ModifyReplicationGroup modify;
  modify.id = "careful";
  modify.settings.auto_minor_version_upgrade = false;
  ASSERT_EQ(world.admit_code(modify), "");
  world.installed = "8.0.2";
  world.settle("foo");
  world.settle("careful");
  EXPECT_EQ(world.action("foo")->status, "not-applied");
  world.now = kInTheWindow;
  world.settle("foo");
  world.settle("careful");
  EXPECT_EQ(world.action("foo")->status, "complete");
  EXPECT_EQ(world.action("foo")->initiated_by, "system");
  EXPECT_EQ(world.action("careful")->status, "not-applied");
}

TEST(ServiceUpdate, AnotherMinorVersionWaitsForTheCustomer) {
  UpdateWorld world;
  world.make("foo", 2);
  world.installed = "8.1.0";
  world.settle("foo");
  world.now = kInTheWindow;
  world.settle("foo");
  ASSERT_NE(world.action("foo", "valkey-8.1.0"), nullptr);
  EXPECT_FALSE(world.action("foo", "valkey-8.1.0")->minor);
  EXPECT_EQ(world.action("foo", "valkey-8.1.0")->status, "not-applied");
}

TEST(ServiceUpdate, ANodeThatIsRestartedAnywayHasIt) {
  UpdateWorld world;
  world.make("foo", 2);
  world.installed = "8.0.2";
  world.settle("foo");
  RebootCacheCluster reboot{"foo-002", {"0001"}};
  ASSERT_EQ(world.admit_code(reboot), "");
  world.settle("foo");
  EXPECT_EQ(world.statuses("foo"), "not-applied complete");
  EXPECT_EQ(world.action("foo")->status, "not-applied");
}

TEST(ServiceUpdate, ANewerOneTakesItsPlace) {
  UpdateWorld world;
  world.make("foo", 2);
  world.installed = "8.0.2";
  world.settle("foo");
  world.installed = "8.0.3";
  world.settle("foo");
  const auto* old = world.state.find<ServiceUpdate>(ServiceUpdateName(kUpdate));
  EXPECT_EQ(shown_status(world.state, *old), "expired");
  EXPECT_EQ(world.action("foo")->status, "not-applicable");
  EXPECT_EQ(world.apply_to({"foo"})[0].refusal.code, "InvalidParameterValue");
  EXPECT_EQ(world.action("foo", "valkey-8.0.3")->status, "not-applied");
}

TEST(ServiceUpdate, GoesWithItsGroup) {
  UpdateWorld world;
  world.make("foo", 2);
  world.installed = "8.0.2";
  world.settle("foo");
  DeleteReplicationGroup command;
  command.id = "foo";
  ASSERT_EQ(world.admit_code(command), "");
  world.settle("foo");
  EXPECT_EQ(world.state.find<ReplicationGroup>(ReplicationGroupId("foo")), nullptr);
  EXPECT_EQ(world.action("foo"), nullptr);
  EXPECT_NE(world.state.find<ServiceUpdate>(ServiceUpdateName(kUpdate)), nullptr);
}

}  // namespace
}  // namespace hikae::core
