#include <iterator>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/admission/cache_cluster.h"
#include "core/admission/group_changes.h"
#include "core/admission/parameter_group.h"
#include "core/admission/replica_count.h"
#include "core/admission/replication_group.h"
#include "core/admission/snapshot.h"
#include "sim/world.h"

namespace hikae::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kMostGroups = 4;  // made in one run
constexpr const char* kPromise = "confirmed";
constexpr const char* kConfirmations = "min-replicas-to-write";
constexpr const char* kFirstVersion = "5.0.6";
constexpr const char* kLaterVersions[] = {"6.2", "7.0", "7.1"};
constexpr const char* kNodeTypes[] = {"cache.m3.medium", "cache.m3.large", "cache.t2.micro"};

}  // namespace

template <class Command>
void World::submit(std::string what, Command command) {
  if (!controller_ || !controller_->open()) {
    return;
  }
  controller_->submit(
      std::move(what),
      [command = std::move(command)](const core::State& state, core::AdmissionContext context) {
        return core::admit(state, command, context);
      });
}

void World::create_groups() {
  timeline_.call(milliseconds(20), [this] {
    if (!controller_ || !controller_->open()) {
      create_groups();
      return;
    }
    if (options_.confirmations > 0 && !promise_is_made()) {
      make_promise();
      create_groups();
      return;
    }
    while (groups_made_ < options_.groups) {
      create_group();
    }
  });
}

// The parameter group of groups that keep what was confirmed.
void World::make_promise() {
  submit("create the parameter group",
         core::CreateParameterGroup{kPromise, "redis5.0", "writes are confirmed", {}});
  promise(promised());
}

int World::promised() const {
  const bool promises = options_.mutation != Mutation::kChooseWithoutQuorum;
  return promises ? options_.confirmations : 0;
}

bool World::promise_is_made() const {
  const auto* made = store_.state().find<core::ParameterGroup>(core::ParameterGroupName(kPromise));
  return made != nullptr && made->overrides.contains(kConfirmations) &&
         made->overrides.at(kConfirmations) == std::to_string(promised());
}

void World::promise(int confirmations) {
  submit(fmt::format("writes are confirmed by {} replicas", confirmations),
         core::ModifyParameterGroup{kPromise, {{kConfirmations, std::to_string(confirmations)}}});
}

void World::create_group() {
  core::CreateReplicationGroup command;
  command.id = fmt::format("rg{}", ++groups_made_);
  command.description = "simulated";
  const bool alone = random_.percent(15);
  const int members = alone ? 1 : 2 + int(random_.below(std::uint64_t(options_.max_members) - 1));
  command.num_cache_clusters = members;
  const bool failover = random_.percent(options_.failover_percent);
  command.automatic_failover = members > 1 && failover;
  command.settings.engine_version = kFirstVersion;
  command.settings.node_type = "cache.m3.medium";
  if (options_.confirmations > 0) {
    command.settings.parameter_group = kPromise;
  }
  const core::ReplicationGroupId id(command.id);
  submit(fmt::format("create {} with {} members", command.id, members), std::move(command));
  auto& writer = writers_[id];
  writer = std::make_unique<Writer>(env_, fleet_, zone_, store_, checker_, id);
  writer->start();
}

void World::call_later() {
  if (!options_.operations) {
    return;
  }
  const Duration pause = env_.draw(milliseconds(30), seconds(1));
  timeline_.call(pause, [this] {
    if (faults_on_) {
      call_api();
      call_later();
    }
  });
}

std::optional<core::CacheClusterId> World::pick_cluster() {
  std::vector<core::CacheClusterId> some;
  for (const auto& [id, cluster] : store_.state().all<core::CacheCluster>()) {
    some.push_back(id);
  }
  return some.empty() ? std::nullopt : std::optional(some[random_.below(some.size())]);
}

std::optional<core::ReplicationGroupId> World::pick_group() {
  std::vector<core::ReplicationGroupId> some;
  for (const auto& [id, group] : store_.state().all<core::ReplicationGroup>()) {
    some.push_back(id);
  }
  return some.empty() ? std::nullopt : std::optional(some[random_.below(some.size())]);
}

// A planned switchover to one of the members, most often.
void World::switch_over(const core::ReplicationGroupId& id) {
  const auto& group = *store_.state().find<core::ReplicationGroup>(id);
  core::ModifyReplicationGroup command;
  command.id = id.str();
  if (random_.percent(15)) {
    command.automatic_failover = random_.percent(70);
    submit(fmt::format("turn automatic failover of {} {}", id.str(),
                       *command.automatic_failover ? "on" : "off"),
           command);
    return;
  }
  const auto& members = group.node_groups.front().members;
  command.primary_cluster = members[random_.below(members.size())].str();
  submit(fmt::format("make {} the primary of {}", *command.primary_cluster, id.str()), command);
}

// What nodes run, rolled through the members. Another version is another program here.
void World::modify(const core::ReplicationGroupId& id) {
  core::ModifyReplicationGroup command;
  command.id = id.str();
  command.settings.apply_immediately = true;
  // Another family would need another parameter group.
  if (options_.confirmations == 0 && random_.percent(60)) {
    command.settings.engine_version = kLaterVersions[random_.below(std::size(kLaterVersions))];
  }
  if (random_.percent(60)) {
    command.settings.node_type = kNodeTypes[random_.below(std::size(kNodeTypes))];
  }
  submit(fmt::format("modify {}: version {}, type {}", id.str(),
                     command.settings.engine_version.value_or("-"),
                     command.settings.node_type.value_or("-")),
         command);
}

void World::change_replica_count(const core::ReplicationGroupId& id) {
  const auto& group = *store_.state().find<core::ReplicationGroup>(id);
  const int now = int(group.node_groups.front().members.size()) - 1;
  const int replicas = int(random_.below(std::uint64_t(options_.max_members)));
  const std::string what = fmt::format("{} replicas for {}", replicas, id.str());
  if (replicas > now) {
    submit("up to " + what, core::IncreaseReplicaCount{id.str(), replicas, {}, true});
  } else {
    submit("down to " + what, core::DecreaseReplicaCount{id.str(), replicas, {}, {}, true});
  }
}

void World::take_snapshot() {
  const auto cluster = pick_cluster();
  const auto group = pick_group();
  const bool whole = random_.percent(70);
  core::CreateSnapshot command;
  command.name = fmt::format("snap{}", ++snapshots_made_);
  if (whole && group) {
    command.group = group->str();
  } else if (cluster) {
    command.cluster = cluster->str();
  }
  const std::string source = command.group.value_or(command.cluster.value_or("nobody"));
  submit(fmt::format("take snapshot {} of {}", command.name, source), std::move(command));
}

void World::call_api() {
  const std::uint64_t kind = random_.below(20);
  const auto cluster = pick_cluster();
  const auto group = pick_group();
  if (kind >= 17) {
    take_snapshot();
  } else if (kind == 0 && groups_made_ < kMostGroups) {
    create_group();
  } else if (kind == 1 && clusters_made_ < 2) {
    core::CreateCacheCluster command;
    command.id = fmt::format("single{}", ++clusters_made_);
    command.settings.engine = "redis";
    command.settings.engine_version = kFirstVersion;
    command.settings.node_type = "cache.m3.medium";
    submit("create " + command.id, std::move(command));
  } else if (kind == 2 && group) {
    const bool retain = random_.percent(30);
    submit(fmt::format("delete {}{}", group->str(), retain ? ", retaining its primary" : ""),
           core::DeleteReplicationGroup{group->str(), retain});
  } else if (kind <= 4 && group) {
    const std::string id = fmt::format("{}-x{}", group->str(), random_.below(4));
    submit("add replica " + id, core::AddReplica{group->str(), id, "", {}});
  } else if (kind == 5 && group) {
    submit("test the failover of " + group->str(), core::TestFailover{group->str(), "0001"});
  } else if (kind <= 8 && group) {
    switch_over(*group);
  } else if (kind >= 15 && group) {
    modify(*group);
  } else if (kind >= 13 && group) {
    change_replica_count(*group);
  } else if (kind <= 10 && cluster) {
    submit("delete " + cluster->str(), core::DeleteCacheCluster{cluster->str()});
  } else if (cluster) {
    submit("reboot " + cluster->str(), core::RebootCacheCluster{cluster->str(), {"0001"}});
  }
}

}  // namespace hikae::sim
