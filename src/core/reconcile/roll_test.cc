#include "core/reconcile/roll.h"

#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/admission/group_changes.h"
#include "core/admission/host.h"
#include "core/admission/replica_count.h"
#include "core/reconcile/node_action.h"
#include "core/testing/world.h"

namespace hikae::core {
namespace {

const NodeId kNode("0001");

// Agents that do one thing at a time, in any order: so every interleaving with the plan is met.
class Agents {
 public:
  explicit Agents(World& world) : world_(world) {}

  // One step of the node's agent, and its report. False: it had nothing to do.
  bool step(const CacheClusterId& id) {
    const auto& cluster = *world_.state.find<CacheCluster>(id);
    const auto wanted = node_assignment(world_.state, world_.observed, cluster, cluster.nodes[0]);
    NodeObservation& seen = world_.observed.nodes[NodeKey{id, kNode}];
    const NodeObservation before = seen;
    act(*wanted, seen);
    return !(before == seen);
  }

  bool serves(const CacheClusterId& id) const {
    const auto* seen = world_.observed.find(NodeKey{id, kNode});
    return seen != nullptr && seen->ready && (seen->role == Role::kPrimary || seen->link_up);
  }

 private:
  using Process = NodeObservation::Process;

  void act(const NodeAssignment& wanted, NodeObservation& seen) {
    seen.node = wanted.node;
    if (seen.process != Process::kRunning) {
      const bool reboot = seen.generation < wanted.generation;
      if (wanted.role == Role::kReplica || reboot || !wanted.hold) {
        start(wanted, seen);
      }
    } else if (seen.generation < wanted.generation && !wanted.keep_running) {
      seen.process = Process::kStopped;
      seen.ready = seen.link_up = seen.synced = seen.writes_paused = false;
      seen.edition = 0;
      world_.observed.dead_since[wanted.node] = world_.observed.now;
    } else if (!seen.ready) {
      seen.ready = true;
      seen.edition = wanted.edition;
    } else if (seen.role != wanted.role && (wanted.role == Role::kReplica || wanted.may_promote)) {
      seen.role = wanted.role;
      seen.link_up = false;
      seen.synced = true;
    } else if (wanted.role == Role::kReplica && wanted.attach && !seen.link_up) {
      seen.link_up = seen.synced = true;
    } else {
      seen.writes_paused = wanted.pause_writes && wanted.role == Role::kPrimary;
      seen.surveyed = seen.offset_settled = wanted.survey;
      seen.edition = wanted.edition;
      seen.outdated = program(wanted) != seen.running_version;
      seen.used_memory = wanted.weigh ? 1024 : 0;
    }
  }

  void start(const NodeAssignment& wanted, NodeObservation& seen) {
    seen.process = Process::kRunning;
    seen.generation = wanted.generation;
    seen.role = wanted.role;
    seen.running_version = program(wanted);
    seen.outdated = seen.link_up = seen.ready = false;
    seen.replication_offset = 100;
    world_.observed.dead_since.erase(wanted.node);
  }

  static std::string program(const NodeAssignment& wanted) {
    return wanted.engine + " " + wanted.engine_version + " " + wanted.access.transit_encryption;
  }

  World& world_;
};

class RollWorld : public World {
 public:
  explicit RollWorld(int members, const std::string& version = "6.2") : agents(*this) {
    CreateReplicationGroup command;
    EXPECT_EQ(admit_code(ChooseShape{true, true}), "");
    command.id = "foo";
    command.num_cache_clusters = members;
    command.automatic_failover = members > 1;
    command.settings.node_type = "cache.t3.small";
    command.settings.engine_version = version;
    EXPECT_EQ(admit_code(command), "");
    settle();
    EXPECT_EQ(group("foo").status, "available");
  }

  // Plans and works until neither has anything to do.
  void settle() {
    for (int quiet = 0, turns = 0; quiet < 2; ++turns) {
      ASSERT_LT(turns, 1000) << plan_once().reason;
      quiet = plan_and_apply() || work() ? 0 : quiet + 1;
    }
  }

  // Until its first restart is asked for.
  void go_on_until_restart_of(const std::string& id) {
    while (cluster(id).nodes[0].generation == 1) {
      ASSERT_TRUE(plan_and_apply() || work());
    }
  }

  Plan plan_once() {
    return plan_replication_group(state, observed, ReplicationGroupId("foo"), context());
  }
  bool plan_and_apply() {
    const Plan plan = plan_once();
    if (!plan.transition.empty()) {
      apply(plan.transition);
    }
    return !plan.transition.empty();
  }
  bool work() {
    bool busy = false;
    for (const CacheClusterId& id : members()) {
      busy = agents.step(id) || busy;
    }
    return busy;
  }
  std::vector<CacheClusterId> members() { return group("foo").node_groups[0].members; }
  const CacheClusterId& primary() { return group("foo").node_groups[0].primary; }

  ModifyReplicationGroup upgrade(const std::string& version) {
    ModifyReplicationGroup command;
    command.id = "foo";
    command.settings.engine_version = version;
    command.settings.apply_immediately = true;
    return command;
  }

  ModifyReplicationGroup resize(const std::string& node_type) {
    ModifyReplicationGroup command;
    command.id = "foo";
    command.settings.node_type = node_type;
    command.settings.apply_immediately = true;
    return command;
  }

  ModifyReplicationGroup encrypt(std::optional<bool> enabled, std::optional<std::string> mode) {
    ModifyReplicationGroup command;
    command.id = "foo";
    command.settings.encryption = {enabled, std::move(mode)};
    command.settings.apply_immediately = true;
    return command;
  }

  bool told(const std::string& text) {
    const auto& events = state.all<Event>();
    return std::any_of(events.begin(), events.end(), [&](const auto& entry) {
      return entry.second.message.find(text) != std::string::npos;
    });
  }

  Agents agents;
};

// Whatever order agents and the control plane act in, and wherever it is started anew: since a plan
// remembers nothing, each of its steps is a restart.
RC_GTEST_PROP(Roll, AtMostOneMemberIsDownAndThePrimaryIsNeverRestarted, (std::uint32_t seed)) {
  SeededRandom random(seed);
  const int count = 2 + int(random.below(4));
  RollWorld world(count);
  const auto before = world.members();
  auto change = world.upgrade("7.1");
  if (random.percent(50)) {
    change.settings.node_type = "cache.t3.medium";
  }
  RC_ASSERT(world.admit_code(change) == "");
  for (int turn = 0; turn < 20'000 && world.group("foo").status == "modifying"; ++turn) {
    if (random.percent(30)) {
      world.plan_and_apply();
    } else {
      world.agents.step(before[random.below(before.size())]);
    }
    int restarting = 0;
    int stopped = 0;
    for (const CacheClusterId& id : before) {
      const CacheCluster& member = world.cluster(id.str());
      restarting += is_restarting(member);
      stopped += world.observed.nodes[NodeKey{id, kNode}].dead();
      RC_ASSERT(!is_restarting(member) || id != world.primary());
    }
    RC_ASSERT(restarting <= 1);
    RC_ASSERT(stopped <= 1);
  }
  RC_ASSERT(world.group("foo").status == "available");
  RC_ASSERT(world.members() == before);
  for (const CacheClusterId& id : before) {
    const CacheCluster& member = world.cluster(id.str());
    RC_ASSERT(member.settings.engine_version == "7.1");
    RC_ASSERT(member.status == "available");
    RC_ASSERT(member.nodes[0].generation == 2u);
    RC_ASSERT(world.agents.serves(id));
  }
}

TEST(Roll, TheReplicasComeFirstAndThePrimaryAfterASwitchover) {
  RollWorld world(3);
  ASSERT_EQ(world.admit_code(world.upgrade("7.1")), "");
  EXPECT_EQ(world.group("foo").status, "modifying");
  EXPECT_EQ(world.group("foo").settings.engine_version, "6.2") << "until it is done";
  EXPECT_EQ(world.cluster("foo-002").status, "modifying");
  world.settle();
  std::vector<std::string> order;
  for (const auto& [id, event] : world.state.all<Event>()) {
    if (event.message == "Cache node 0001 shutdown" || event.message.starts_with("Failover")) {
      order.push_back(event.source + (event.message.starts_with("Failover") ? " fails over" : ""));
    }
  }
  EXPECT_EQ(order, (std::vector<std::string>{"foo-002", "foo-003", "foo-001 fails over",
                                             "foo fails over", "foo-001"}));
  EXPECT_EQ(world.group("foo").settings.engine_version, "7.1");
  EXPECT_EQ(world.group("foo").settings.parameter_group.str(), "default.redis7");
  EXPECT_EQ(world.primary().str(), "foo-002");
  EXPECT_TRUE(world.told("Succeeded applying modification to engine version to 7.1."));
}

// A replica reaches its primary in every mixed state, as its engine was started and as it is told.
void change_modes(std::uint64_t seed) {
  SeededRandom random(seed);
  const int count = 2 + int(random.below(2));
  RollWorld world(count, "7.1");
  const auto members = world.members();
  DirectiveTable known;
  const std::vector<ModifyReplicationGroup> way = {
      world.encrypt(true, "preferred"), world.encrypt({}, "required"),
      world.encrypt({}, "preferred"), world.encrypt(false, {})};
  const auto mode_of = [&](const CacheClusterId& id) {
    const std::string& program = world.observed.nodes[NodeKey{id, kNode}].running_version;
    return program.substr(program.rfind(' ') + 1);
  };
  for (const auto& change : way) {
    ASSERT_EQ(world.admit_code(change), "");
    for (int turn = 0; turn < 20'000 && world.group("foo").status == "modifying"; ++turn) {
      if (random.percent(30)) {
        world.plan_and_apply();
      } else {
        world.agents.step(members[random.below(members.size())]);
      }
      for (const CacheClusterId& id : members) {
        const CacheCluster& member = world.cluster(id.str());
        const auto wanted =
            node_assignment(world.state, world.observed, member, member.nodes[0], known);
        const auto& seen = world.observed.nodes[NodeKey{id, kNode}];
        if (wanted->role == Role::kPrimary || !wanted->attach || seen.dead()) {
          continue;
        }
        Access own;
        own.transit_encryption = mode_of(id);
        const std::string primary = mode_of(world.primary());
        const bool reached =
            follows_encrypted(*wanted, own) ? !primary.empty() : primary != "required";
        ASSERT_TRUE(reached) << id.str() << " and " << primary;
      }
    }
    ASSERT_EQ(world.group("foo").status, "available");
    for (const CacheClusterId& id : members) {
      ASSERT_EQ(world.cluster(id.str()).settings.access, world.group("foo").settings.access);
      ASSERT_EQ(mode_of(id), world.group("foo").settings.access.transit_encryption);
    }
  }
}

// Each takes about a second with sanitizers, so they are few.
TEST(Roll, MembersOfTwoModesReachEachOther) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    ASSERT_NO_FATAL_FAILURE(change_modes(seed));
  }
}

TEST(Roll, AChangeOfEncryptionIsARestartOfEveryMember) {
  RollWorld world(3, "7.1");
  ASSERT_EQ(world.admit_code(world.encrypt(true, "preferred")), "");
  EXPECT_FALSE(world.group("foo").settings.access.encrypted()) << "until it is done";
  world.settle();
  EXPECT_TRUE(world.group("foo").settings.access.takes_both());
  EXPECT_EQ(world.primary().str(), "foo-002");
  for (const CacheClusterId& id : world.members()) {
    EXPECT_EQ(world.cluster(id.str()).nodes[0].generation, 2u);
  }
  EXPECT_TRUE(
      world.told("Succeeded applying modification to transit encryption mode to preferred."));
  ASSERT_EQ(world.admit_code(world.encrypt(true, "preferred")), "") << "it is so already";
  EXPECT_EQ(world.group("foo").status, "available");
  ASSERT_EQ(world.admit_code(world.encrypt(false, {})), "");
  world.settle();
  EXPECT_FALSE(world.group("foo").settings.access.encrypted());
  EXPECT_TRUE(world.told("Succeeded applying modification to transit encryption mode to off."));
}

TEST(Roll, PreferredNeedsTheModuleOnEveryHost) {
  RollWorld world(2, "7.1");
  ASSERT_EQ(world.admit_code(ChooseShape{true, false}), "");
  EXPECT_EQ(world.admit_code(world.encrypt(true, "preferred")), "InvalidParameterCombination");
  ASSERT_EQ(world.admit_code(ChooseShape{true, true}), "");
  EXPECT_EQ(world.admit_code(world.encrypt(true, "preferred")), "");
}

TEST(Roll, NothingIsRestartedWhereTheRunningProcessCanTakeTheChange) {
  RollWorld world(3);
  ASSERT_EQ(world.admit_code(world.resize("cache.t3.medium")), "");
  world.settle();
  EXPECT_EQ(world.group("foo").settings.node_type, "cache.t3.medium");
  for (const CacheClusterId& id : world.members()) {
    EXPECT_EQ(world.cluster(id.str()).settings.node_type, "cache.t3.medium");
    EXPECT_EQ(world.cluster(id.str()).nodes[0].generation, 1u);
  }
  EXPECT_EQ(world.primary().str(), "foo-001");
  EXPECT_TRUE(world.told("Succeeded applying modification to cache node type to cache.t3.medium."));
}

TEST(Roll, ASmallerNodeHasToHoldTheData) {
  RollWorld world(2);
  ASSERT_EQ(world.admit_code(world.resize("cache.t3.micro")), "");
  NodeObservation& primary = world.observed.nodes[NodeKey{CacheClusterId("foo-001"), kNode}];
  EXPECT_EQ(world.plan_once().reason, "waits for the size of the data of foo-001");
  primary.used_memory = 600'000'000;
  ASSERT_TRUE(world.plan_and_apply());
  primary.used_memory = 0;
  world.settle();
  EXPECT_EQ(world.group("foo").status, "available");
  EXPECT_EQ(world.group("foo").settings.node_type, "cache.t3.small");
  EXPECT_EQ(world.cluster("foo-002").settings.node_type, "cache.t3.small");
  EXPECT_TRUE(
      world.told("Failed to scale down to cache node type cache.t3.micro Replication Group "
                 "[foo] because the node has insufficient memory"));
}

TEST(Roll, WhatNoInstalledEngineCanRunIsGivenUpAndNothingWasRestarted) {
  RollWorld world(2);
  ASSERT_EQ(world.admit_code(world.upgrade("7.1")), "");
  while (world.cluster("foo-002").upgrade.empty()) {
    ASSERT_TRUE(world.plan_and_apply() || world.work());
  }
  NodeObservation& seen = world.observed.nodes[NodeKey{CacheClusterId("foo-002"), kNode}];
  seen.edition = world.cluster("foo-002").nodes[0].edition;
  seen.unservable = "Redis 7.1 is not installed";
  ASSERT_TRUE(world.plan_and_apply());
  seen.unservable.clear();
  world.settle();
  EXPECT_EQ(world.group("foo").status, "available");
  EXPECT_EQ(world.cluster("foo-002").settings.engine_version, "6.2");
  EXPECT_EQ(world.cluster("foo-002").nodes[0].generation, 1u);
  EXPECT_TRUE(
      world.told("Failed applying modification to engine version to 7.1. Redis 7.1 is not "
                 "installed"));
}

TEST(Roll, AMemberThatDoesNotComeBackIsTakenBack) {
  RollWorld world(2);
  ASSERT_EQ(world.admit_code(world.upgrade("7.1")), "");
  world.go_on_until_restart_of("foo-002");
  NodeObservation& seen = world.observed.nodes[NodeKey{CacheClusterId("foo-002"), kNode}];
  seen.process = NodeObservation::Process::kStopped;
  seen.ready = seen.link_up = false;
  EXPECT_TRUE(world.plan_once().transition.empty());
  EXPECT_GT(world.plan_once().recheck_after, Duration());
  world.now = world.now + kRestartPatience;
  ASSERT_TRUE(world.plan_and_apply());
  world.settle();
  EXPECT_EQ(world.group("foo").status, "available");
  EXPECT_EQ(world.cluster("foo-002").settings.engine_version, "6.2");
  EXPECT_EQ(world.cluster("foo-002").nodes[0].generation, 3u);
  EXPECT_EQ(world.primary().str(), "foo-001");
}

TEST(Roll, AMemberThatWasToRestartLeadsWhenThePrimaryDiesAndIsRestartedLater) {
  RollWorld world(2);
  ASSERT_EQ(world.admit_code(world.upgrade("7.1")), "");
  world.go_on_until_restart_of("foo-002");
  NodeObservation& seen = world.observed.nodes[NodeKey{CacheClusterId("foo-001"), kNode}];
  seen.process = NodeObservation::Process::kStopped;
  seen.ready = false;
  while (world.primary().str() == "foo-001") {
    ASSERT_TRUE(world.plan_and_apply() || world.work());
    ASSERT_TRUE(world.agents.serves(CacheClusterId("foo-002"))) << "it has the last copy";
  }
  world.settle();
  EXPECT_EQ(world.group("foo").status, "available");
  for (const CacheClusterId& id : world.members()) {
    EXPECT_EQ(world.cluster(id.str()).settings.engine_version, "7.1");
    EXPECT_EQ(world.observed.nodes[NodeKey(id, kNode)].running_version, "redis 7.1 ") << id.str();
  }
}

TEST(Roll, AMemberThatDiesOnceItWasToldIsTakenBackToo) {
  RollWorld world(2);
  ASSERT_EQ(world.admit_code(world.upgrade("7.1")), "");
  while (world.cluster("foo-002").upgrade.empty()) {
    ASSERT_TRUE(world.plan_and_apply() || world.work());
  }
  NodeObservation& seen = world.observed.nodes[NodeKey{CacheClusterId("foo-002"), kNode}];
  seen.process = NodeObservation::Process::kStopped;
  seen.ready = seen.link_up = false;
  world.plan_and_apply();  // it is being recovered, which AWS tells too
  EXPECT_TRUE(world.plan_once().transition.empty());
  world.now = world.now + kRestartPatience;
  ASSERT_TRUE(world.plan_and_apply());
  EXPECT_TRUE(world.told("Failed applying modification to engine version to 7.1."));
  world.settle();
  EXPECT_EQ(world.group("foo").status, "available");
  EXPECT_EQ(world.cluster("foo-002").settings.engine_version, "6.2");
  EXPECT_TRUE(world.told("Finished recovery for cache nodes 0001"));
}

TEST(Roll, ASwitchoverThatFailsIsTriedAgainAfterAPause) {
  RollWorld world(2);
  ASSERT_EQ(world.admit_code(world.upgrade("7.1")), "");
  while (world.group("foo").node_groups[0].switchover_target.empty()) {
    ASSERT_TRUE(world.plan_and_apply() || world.work());
  }
  world.now = world.now + kSwitchoverBound;
  ASSERT_TRUE(world.plan_and_apply());
  EXPECT_EQ(world.group("foo").status, "modifying");
  EXPECT_EQ(world.primary().str(), "foo-001");
  world.work();
  const Plan plan = world.plan_once();
  EXPECT_TRUE(plan.transition.empty());
  EXPECT_GT(plan.recheck_after, Duration());
  world.now = world.now + kSwitchoverPause;
  world.settle();
  EXPECT_EQ(world.primary().str(), "foo-002");
  EXPECT_EQ(world.group("foo").status, "available");
}

TEST(Roll, AFailoverInTheMiddleChangesNothingOfItsEnd) {
  RollWorld world(3);
  ASSERT_EQ(world.admit_code(world.upgrade("7.1")), "");
  while (world.cluster("foo-002").status == "modifying") {
    ASSERT_TRUE(world.plan_and_apply() || world.work());
  }
  NodeObservation& primary = world.observed.nodes[NodeKey{CacheClusterId("foo-001"), kNode}];
  primary.process = NodeObservation::Process::kStopped;
  primary.ready = false;
  for (const CacheClusterId& id : world.members()) {
    world.observed.nodes[NodeKey{id, kNode}].offset_settled = true;
  }
  world.settle();
  EXPECT_NE(world.primary().str(), "foo-001");
  EXPECT_EQ(world.group("foo").status, "available");
  for (const CacheClusterId& id : world.members()) {
    EXPECT_EQ(world.cluster(id.str()).settings.engine_version, "7.1") << id.str();
    EXPECT_FALSE(world.cluster(id.str()).nodes[0].recovering) << id.str();
  }
}

TEST(Roll, APrimaryThatIsSmallAlreadyIsWeighedForTheOthers) {
  RollWorld world(3);
  ASSERT_EQ(world.admit_code(world.resize("cache.t3.micro")), "");
  while (world.cluster("foo-002").settings.node_type != "cache.t3.micro") {
    ASSERT_TRUE(world.plan_and_apply() || world.work());
  }
  for (const char* id : {"foo-001", "foo-003"}) {
    NodeObservation& other = world.observed.nodes[NodeKey{CacheClusterId(id), kNode}];
    other.process = NodeObservation::Process::kStopped;
    other.ready = other.link_up = other.synced = false;
  }
  NodeObservation& chosen = world.observed.nodes[NodeKey{CacheClusterId("foo-002"), kNode}];
  chosen.offset_settled = true;
  chosen.used_memory = 0;
  world.settle();
  EXPECT_EQ(world.primary().str(), "foo-002");
  EXPECT_EQ(world.group("foo").status, "available");
  EXPECT_EQ(world.cluster("foo-001").settings.node_type, "cache.t3.micro");
}

TEST(Roll, TheOnlyNodeIsRestartedWithItsData) {
  RollWorld world(1);
  ASSERT_EQ(world.admit_code(world.upgrade("7.1")), "");
  world.go_on_until_restart_of("foo-001");
  const CacheCluster& only = world.cluster("foo-001");
  EXPECT_TRUE(node_assignment(world.state, world.observed, only, only.nodes[0])->keep_data);
  world.settle();
  EXPECT_EQ(world.group("foo").status, "available");
  EXPECT_EQ(world.cluster("foo-001").settings.engine_version, "7.1");
  EXPECT_FALSE(world.cluster("foo-001").nodes[0].keep_data) << "a crash is one again";
}

TEST(Roll, AReplicaThatJoinsMeanwhileIsBroughtToTheTargetToo) {
  RollWorld world(2);
  ASSERT_EQ(world.admit_code(world.upgrade("7.1")), "");
  ASSERT_EQ(world.admit_code(AddReplica{"foo", "late", "", {}}), "");
  world.settle();
  EXPECT_EQ(world.group("foo").status, "available");
  EXPECT_EQ(world.cluster("late").settings.engine_version, "7.1");
}

TEST(Roll, AMemberThatIsRebootedWhenTheOthersAreDoneHasItsTurnToo) {
  RollWorld world(1);
  ASSERT_EQ(world.admit_code(world.upgrade("7.1")), "");
  while (!is_in_hand(world.cluster("foo-001"))) {
    ASSERT_TRUE(world.plan_and_apply());
  }
  ASSERT_EQ(world.admit_code(AddReplica{"foo", "late", "", {}}), "");
  while (world.primary().str() != "late" || world.cluster("foo-001").nodes[0].generation == 1) {
    ASSERT_TRUE(world.plan_and_apply() || world.work());
  }
  ASSERT_NE(world.cluster("late").settings.engine_version, "7.1");
  ASSERT_EQ(world.admit_code(RebootCacheCluster{"late", {"0001"}}), "");
  world.settle();
  EXPECT_EQ(world.group("foo").status, "available");
  EXPECT_EQ(world.cluster("late").settings.engine_version, "7.1");
}

TEST(Roll, AFailedSwitchoverOfAMemberThatIsYetToChangeLeavesTheGroupModifying) {
  RollWorld world(2);
  ASSERT_EQ(world.admit_code(world.upgrade("7.1")), "");
  while (world.group("foo").node_groups[0].switchover_target.empty()) {
    ASSERT_TRUE(world.plan_and_apply() || world.work());
  }
  Transition forgotten;
  ReplicationGroup group = world.group("foo");
  group.settings.engine_version = "7.1";
  group.applying = {};
  forgotten.put(std::move(group));
  world.apply(forgotten);
  world.now = world.now + kSwitchoverBound;
  ASSERT_TRUE(world.plan_and_apply());
  EXPECT_EQ(world.group("foo").status, "modifying");
}

TEST(Maintenance, WaitsForItsWindow) {
  RollWorld world(2);
  world.now = Instant(4 * 86'400'000'000);  // a Monday, 00:00
  ModifyReplicationGroup command = world.upgrade("7.1");
  command.settings.apply_immediately = false;
  command.settings.maintenance_window = "mon:03:00-mon:04:00";
  command.settings.snapshot_window = "06:00-07:00";
  ASSERT_EQ(world.admit_code(command), "");
  EXPECT_EQ(world.group("foo").status, "available");
  EXPECT_EQ(world.group("foo").pending.engine_version, "7.1");
  const Plan early = world.plan_once();
  EXPECT_TRUE(early.transition.empty());
  EXPECT_TRUE(early.settled);
  EXPECT_GT(early.recheck_after, Duration());
  world.now = Instant(4 * 86'400'000'000 + 3 * 3'600'000'000);
  world.settle();
  EXPECT_EQ(world.group("foo").settings.engine_version, "7.1");
  EXPECT_TRUE(world.group("foo").pending.empty());
  EXPECT_EQ(world.group("foo").status, "available");
}

TEST(Maintenance, AnImmediateModificationTakesWhatWasPendingAlong) {
  RollWorld world(1);
  ModifyReplicationGroup later = world.upgrade("7.1");
  later.settings.apply_immediately = false;
  ASSERT_EQ(world.admit_code(later), "");
  ModifyReplicationGroup now;
  now.id = "foo";
  now.settings.node_type = "cache.t3.medium";
  now.settings.apply_immediately = true;
  ASSERT_EQ(world.admit_code(now), "");
  world.settle();
  EXPECT_EQ(world.group("foo").settings.engine_version, "7.1");
  EXPECT_EQ(world.group("foo").settings.node_type, "cache.t3.medium");
}

TEST(Maintenance, WhatIsPendingCanBeTakenBack) {
  RollWorld world(1);
  ModifyReplicationGroup later = world.upgrade("7.1");
  later.settings.apply_immediately = false;
  ASSERT_EQ(world.admit_code(later), "");
  later.settings.engine_version = "6.2";
  ASSERT_EQ(world.admit_code(later), "");
  EXPECT_TRUE(world.group("foo").pending.empty());
}

}  // namespace
}  // namespace hikae::core
