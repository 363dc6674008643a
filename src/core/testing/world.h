#pragma once

#include <string>

#include <gtest/gtest.h>

#include "base/random.h"
#include "core/admission/cache_cluster.h"
#include "core/admission/region.h"
#include "core/admission/replication_group.h"
#include "core/reconcile/assignments.h"
#include "core/reconcile/observed.h"
#include "core/reconcile/plan.h"
#include "core/state/invariants.h"
#include "core/state/state.h"

namespace hikae::core {

// A region in memory for tests: admits commands, applies plans, and plays agents that do at once
// whatever they are assigned. Every applied transition is checked against the invariants.
class World {
 public:
  World() {
    CreateRegion region;
    region.name = "ap-northeast-1";
    region.account_id = "123456789012";
    region.endpoint_hash = "abcdef";
    region.domain = "cache.hikae.internal";
    region.zones = {ZoneName("ap-northeast-1a"), ZoneName("ap-northeast-1b"),
                    ZoneName("ap-northeast-1c")};
    apply(*initial_region(region, context()));
  }

  AdmissionContext context() { return AdmissionContext{now, random}; }

  void apply(const Transition& transition) {
    state.apply(transition, state.revision().next());
    const auto broken = broken_invariant(state, transition);
    EXPECT_FALSE(broken) << *broken;
    EXPECT_TRUE(state.occupancy() == count_occupancy(state));
    now = now + std::chrono::milliseconds(1);
  }

  // The refusal's code, or "" when the command was admitted and applied.
  template <class Command>
  std::string admit_code(const Command& command) {
    const auto admitted = admit(state, command, context());
    if (!admitted) {
      return admitted.error().code;
    }
    apply(*admitted);
    return "";
  }

  // Every agent does all of its assignment, as a healthy one would.
  void agents_work() {
    for (int round = 0; round < 4; ++round) {  // replicas attach one after the other
      Observed seen;
      for (const auto& [id, host] : state.all<Host>()) {
        const Assignment assignment = assignment_for(state, observed, id);
        seen.assignment_revision[id] = assignment.revision;
        for (const NodeAssignment& node : assignment.nodes) {
          const Node& placed = state.find<CacheCluster>(node.node.cluster)->nodes[0];
          auto& table = placed.host == id ? seen.nodes : seen.arrivals;
          table.emplace(node.node, healthy(node));
        }
      }
      observed = std::move(seen);
    }
  }

  // Plans until nothing changes any more; the agents do not move meanwhile.
  Plan settle_group(const std::string& id) {
    return settle(
        [&] { return plan_replication_group(state, observed, ReplicationGroupId(id), context()); });
  }
  Plan settle_cluster(const std::string& id) {
    return settle(
        [&] { return plan_standalone_cluster(state, observed, CacheClusterId(id), context()); });
  }

  // Creates a group of `members` and brings it to `available`.
  void make_group(const std::string& id, int members) {
    CreateReplicationGroup command;
    command.id = id;
    command.description = "test";
    command.num_cache_clusters = members;
    command.automatic_failover = members > 1;
    command.settings.node_type = "cache.m3.medium";
    ASSERT_EQ(admit_code(command), "");
    settle_group(id);
    agents_work();
    ASSERT_TRUE(settle_group(id).settled);
  }

  const ReplicationGroup& group(const std::string& id) {
    return *state.find<ReplicationGroup>(ReplicationGroupId(id));
  }
  const CacheCluster& cluster(const std::string& id) {
    return *state.find<CacheCluster>(CacheClusterId(id));
  }

  Instant now{1'700'000'000'000'000};
  SeededRandom random{1};
  State state;
  Observed observed;

 private:
  static NodeObservation healthy(const NodeAssignment& node) {
    NodeObservation seen;
    seen.node = node.node;
    seen.process = NodeObservation::Process::kRunning;
    seen.pid = 1000;
    seen.generation = node.generation;
    seen.edition = node.edition;
    seen.used_memory = node.weigh ? 1024 * 1024 : 0;
    seen.ready = true;
    seen.role = node.role;
    seen.link_up = node.role == Role::kReplica && node.attach;
    seen.synced = seen.link_up || node.role == Role::kPrimary;
    seen.surveyed = seen.offset_settled = node.survey;
    seen.writes_paused = node.pause_writes && node.role == Role::kPrimary;
    seen.replication_offset = 100;
    return seen;
  }

  template <class PlanOnce>
  Plan settle(PlanOnce plan_once) {
    for (int steps = 0; steps < 20; ++steps) {
      Plan plan = plan_once();
      if (plan.transition.empty()) {
        return plan;
      }
      apply(plan.transition);
    }
    ADD_FAILURE() << "the plan does not come to rest";
    return {};
  }
};

}  // namespace hikae::core
