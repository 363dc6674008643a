#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "core/resource/cache_cluster.h"
#include "core/resource/ids.h"
#include "core/resource/migration.h"
#include "core/resource/tags.h"

namespace hikae::core {

// A failover that was not reported yet. So a leader that comes after the one which committed it can
// report it too.
struct FailoverNote {
  Epoch epoch{0};  // of the primary that it made
  CacheClusterId from;
  CacheClusterId to;
  Instant at;  // of the decision
  bool planned = false;
  std::string reason;
  std::uint64_t bytes_at_risk = 0;
  // Microseconds after the fault was seen: certainly dead, decided. And before it: the primary was
  // last heard of; -1: never.
  std::int64_t confirmed_us = 0;
  std::int64_t decided_us = 0;
  std::int64_t last_heard_us = 0;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("epoch", s.epoch);
    v("from", s.from);
    v("to", s.to);
    v("at", s.at);
    v("planned", s.planned);
    v("reason", s.reason);
    v("bytes_at_risk", s.bytes_at_risk);
    v("confirmed_us", s.confirmed_us);
    v("decided_us", s.decided_us);
    v("last_heard_us", s.last_heard_us);
  }
};

// A shard: one primary and its replicas. Cluster mode disabled has exactly one, `0001`.
struct NodeGroup {
  NodeGroupId id;
  std::string status = "creating";      // creating, available, modifying, deleting
  std::vector<CacheClusterId> members;  // stable order; never primary first
  CacheClusterId primary;               // always one of members
  Epoch epoch{1};
  // A planned switchover to this member is under way (empty: none). Given up after the deadline.
  CacheClusterId switchover_target;
  Instant switchover_deadline;
  // TestFailover: the primary of this epoch is to be killed. Equal to `epoch` while it is pending.
  Epoch kill_epoch{0};
  // The owner was told that the failover of this epoch's primary waits for replicas that may have
  // confirmed writes.
  Epoch wait_told{0};
  // A planned switchover made it the primary, and it was not seen to lead yet: until then the one
  // before leads again should this one be lost, also without automatic failover.
  bool taking_over = false;
  std::vector<FailoverNote> unreported;  // its failovers, oldest first
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("id", s.id);
    v("status", s.status);
    v("members", s.members);
    v("primary", s.primary);
    v("epoch", s.epoch);
    v("switchover_target", s.switchover_target);
    v("switchover_deadline", s.switchover_deadline);
    v("kill_epoch", s.kill_epoch);
    v("wait_told", s.wait_told);
    v("taking_over", s.taking_over);
    v("unreported", s.unreported);
  }
};

struct ReplicationGroup {
  using Key = ReplicationGroupId;
  static constexpr const char* kKind = "replication_group";
  ReplicationGroupId id;
  std::string description;
  // creating, available, modifying, deleting, create-failed; snapshotting is shown while a snapshot
  // of it is under way (state/snapshots.h)
  std::string status = "creating";
  CacheSettings settings;
  // Changes that are being rolled through the members, and changes that wait for the maintenance
  // window. The settings are those before them.
  NodeChanges applying;
  NodeChanges pending;
  std::vector<NodeGroup> node_groups;
  std::string automatic_failover = "disabled";  // disabled, enabling, enabled, disabling
  bool multi_az = false;
  CacheClusterId snapshotting_cluster;
  // Whose users may log in to its nodes; empty: anybody. At most one. Of these: what its nodes may
  // not have taken yet.
  std::vector<UserGroupId> user_groups;
  std::vector<UserGroupId> adding_user_groups;
  std::vector<UserGroupId> removing_user_groups;
  std::string network_type = "ipv4";
  std::string ip_discovery = "ipv4";
  std::optional<Instant> auth_token_modified_at;
  std::vector<LogDelivery> log_deliveries;
  // While deleting: the primary stays behind as a standalone cluster.
  bool retain_primary = false;
  Migration migration;
  // This snapshot is taken first, and then the group is deleted. Empty: it is not to be deleted.
  SnapshotName final_snapshot;
  Instant created_at;
  Tags tags;
  const Key& key() const { return id; }
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("id", s.id);
    v("description", s.description);
    v("status", s.status);
    v("settings", s.settings);
    v("applying", s.applying);
    v("pending", s.pending);
    v("node_groups", s.node_groups);
    v("automatic_failover", s.automatic_failover);
    v("multi_az", s.multi_az);
    v("snapshotting_cluster", s.snapshotting_cluster);
    v("user_groups", s.user_groups);
    v("adding_user_groups", s.adding_user_groups);
    v("removing_user_groups", s.removing_user_groups);
    v("network_type", s.network_type);
    v("ip_discovery", s.ip_discovery);
    v("auth_token_modified_at", s.auth_token_modified_at);
    v("log_deliveries", s.log_deliveries);
    v("retain_primary", s.retain_primary);
    v("migration", s.migration);
    v("final_snapshot", s.final_snapshot);
    v("created_at", s.created_at);
    v("tags", s.tags);
  }
};

// It runs by this parameter group, or is going to.
bool uses(const ReplicationGroup& group, const ParameterGroupName& name);

}  // namespace hikae::core
