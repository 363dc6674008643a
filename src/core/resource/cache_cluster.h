#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "core/resource/access.h"
#include "core/resource/ids.h"
#include "core/resource/log_delivery.h"
#include "core/resource/tags.h"

namespace hikae::core {

// Settings that a cache cluster and a replication group share.
struct CacheSettings {
  std::string engine;          // `redis`, `valkey`, `memcached`
  std::string engine_version;  // as in the catalog: `2.8.6`, `7.1` (clusters answer `7.1.0`)
  std::string node_type;       // `cache.m3.medium`
  std::uint16_t port = 6379;
  ParameterGroupName parameter_group;
  SubnetGroupName subnet_group;
  std::vector<SecurityGroupId> security_groups;
  std::string maintenance_window;  // `sun:05:00-sun:06:00`, UTC
  std::string snapshot_window;     // `05:00-06:00`, UTC
  int snapshot_retention_days = 0;
  std::string notification_topic_arn;
  std::string notification_topic_status = "active";  // active, inactive
  bool auto_minor_version_upgrade = true;
  Access access;
  // As asked for, and shown: the engines' files are as encrypted as the disk they lie on.
  bool at_rest_encryption = false;
  std::string kms_key;
  // Grows whenever a service update is applied; says nothing of which one.
  Revision renewal;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("engine", s.engine);
    v("engine_version", s.engine_version);
    v("node_type", s.node_type);
    v("port", s.port);
    v("parameter_group", s.parameter_group);
    v("subnet_group", s.subnet_group);
    v("security_groups", s.security_groups);
    v("maintenance_window", s.maintenance_window);
    v("snapshot_window", s.snapshot_window);
    v("snapshot_retention_days", s.snapshot_retention_days);
    v("notification_topic_arn", s.notification_topic_arn);
    v("notification_topic_status", s.notification_topic_status);
    v("auto_minor_version_upgrade", s.auto_minor_version_upgrade);
    v("access", s.access);
    v("at_rest_encryption", s.at_rest_encryption);
    v("kms_key", s.kms_key);
    v("renewal", s.renewal);
  }
};

// A change of what nodes run. An empty field changes nothing.
struct NodeChanges {
  std::string engine;
  std::string engine_version;
  std::string node_type;
  ParameterGroupName parameter_group;
  std::optional<Access> access;    // tokens
  std::string transit_encryption;  // a mode, or kNoEncryption
  // Nodes of a lower one get the newest installed program of their engine; never taken back.
  Revision renewal;
  bool updates() const { return renewal != Revision(); }
  bool empty() const {
    return engine.empty() && engine_version.empty() && node_type.empty() &&
           parameter_group.empty() && !access && transit_encryption.empty() && !updates();
  }
  // Brought by new processes on AWS. A parameter group alone waits for its cluster's reboot.
  bool renews() const {
    return !engine.empty() || !engine_version.empty() || !node_type.empty() ||
           !transit_encryption.empty() || updates();
  }
  friend bool operator==(const NodeChanges&, const NodeChanges&) = default;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("engine", s.engine);
    v("engine_version", s.engine_version);
    v("node_type", s.node_type);
    v("parameter_group", s.parameter_group);
    v("access", s.access);
    v("transit_encryption", s.transit_encryption);
    v("renewal", s.renewal);
  }
};

// As a change: clients are to come without TLS.
inline constexpr const char* kNoEncryption = "off";

// The settings after the changes, and the changes that lead from one to the other.
CacheSettings with(CacheSettings settings, const NodeChanges& changes);
NodeChanges changes_between(const CacheSettings& from, const CacheSettings& to);

// A node on its way to another host of its zone. The copy there follows the node until it has
// all of it; then one change gives the node its new place. So no copy is given up before the
// next one is there.
struct NodeMove {
  HostId host;  // empty: the node stays where it is
  Ipv4 address;
  std::string reason;  // one line for people
  Instant since;
  // Of a node that takes writes and has no replica: it holds them back since then (zero: it does
  // not), and from this revision on it is told to end. Only when it has ended does the copy lead.
  Instant handing_since;
  Revision left_at;
  bool under_way() const { return !host.empty(); }
  bool handing_over() const { return handing_since != Instant(); }
  bool left() const { return left_at != Revision(); }
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("host", s.host);
    v("address", s.address);
    v("reason", s.reason);
    v("since", s.since);
    v("handing_since", s.handing_since);
    v("left_at", s.left_at);
  }
};

// One engine process, desired side. It is placed when `host` is set; until then it has a wish only.
struct Node {
  NodeId id;
  std::string status = "creating";  // CacheNodeStatus: creating, available, rebooting, deleting
  ZoneName preferred_zone;          // what the client asked for, empty for any
  // Placement, all set together by core/placement:
  HostId host;
  ZoneName zone;
  SubnetId subnet;
  Ipv4 vpc_address;  // what the API shows
  Ipv4 address;      // where it is reachable, what DNS answers; without a host: where it was last
  NetworkInterfaceId network_interface;
  std::string placement_reason;  // one line for people
  // Raised for every restart that is asked for; the agent restarts a process of a lower one.
  std::uint64_t generation = 1;
  // Of the last restart that was called off; an agent may have made it nevertheless.
  std::uint64_t called_off = 0;
  // Raised by one whenever what the node should run has changed; its agent tells which one it has
  // compared with the process that runs.
  std::uint64_t edition = 1;
  // The newest edition is brought by a restart where the running process cannot take it.
  bool renew = false;
  // The restart to this generation keeps the data, because no other node has it.
  bool keep_data = false;
  Instant restart_at;  // when a modification told the node to change, or to restart for that
  Instant created_at;
  std::string parameter_status = "in-sync";  // in-sync, applying, pending-reboot
  // The process was lost and is being brought back. Meanwhile no shared name leads to the node, as
  // while it is rebooting.
  bool recovering = false;
  // Of a primary: its engine takes writes by a lease alone, as its agent has told. It stays so when
  // the host can no longer be asked.
  bool fenced = false;
  // Of such a primary: its fence is its keeper. Of a replica: the epoch in which the agent of a
  // primary with a keeper is known to count on it at this place.
  bool kept = false;
  Epoch counted_epoch{0};
  NodeMove move;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("id", s.id);
    v("status", s.status);
    v("preferred_zone", s.preferred_zone);
    v("host", s.host);
    v("zone", s.zone);
    v("subnet", s.subnet);
    v("vpc_address", s.vpc_address);
    v("address", s.address);
    v("network_interface", s.network_interface);
    v("placement_reason", s.placement_reason);
    v("generation", s.generation);
    v("called_off", s.called_off);
    v("edition", s.edition);
    v("renew", s.renew);
    v("keep_data", s.keep_data);
    v("restart_at", s.restart_at);
    v("created_at", s.created_at);
    v("parameter_status", s.parameter_status);
    v("recovering", s.recovering);
    v("fenced", s.fenced);
    v("kept", s.kept);
    v("counted_epoch", s.counted_epoch);
    v("move", s.move);
  }
};

// Where a new cache's data comes from. It stays until the cache is available, so that a start which
// fails half-way is repeated with the same data.
struct RestoreSource {
  std::string file;       // in the region's snapshot directory; empty: the cache starts empty
  SnapshotName snapshot;  // empty: the file came from a bucket, and is removed afterwards
  std::string origin;     // for people: the snapshot's name, or the object's ARN
  std::uint64_t bytes = 0;
  int percent = 0;  // so much of it is loaded, as last told in an event
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("file", s.file);
    v("snapshot", s.snapshot);
    v("origin", s.origin);
    v("bytes", s.bytes);
    v("percent", s.percent);
  }
};

// A cache cluster: a standalone node, a member of a replication group, or a set of memcached nodes.
struct CacheCluster {
  using Key = CacheClusterId;
  static constexpr const char* kKind = "cache_cluster";
  CacheClusterId id;
  ReplicationGroupId replication_group;  // empty when standalone
  // CacheClusterStatus: creating, available, modifying, rebooting cluster nodes, deleting,
  // restore-failed; snapshotting is shown while a snapshot of it is under way (state/snapshots.h)
  std::string status = "creating";
  CacheSettings settings;
  // A modification under way: what its node is told to run already, beside the settings.
  NodeChanges upgrade;
  // Of a standalone cluster: changes being applied, and those that wait for the maintenance window.
  NodeChanges applying;
  NodeChanges pending;
  std::vector<Node> nodes;
  std::string az_mode;                // `single-az`, `cross-az`; memcached only
  std::optional<Instant> created_at;  // set when it first becomes available
  // The revision at which the cluster left its host's assignment (status deleting). It is gone once
  // the host has taken up an assignment of this revision or later and no longer has the node.
  Revision retired_at;
  RestoreSource restore;
  // This snapshot is taken first, and then the cluster is deleted. Empty: it is not to be deleted.
  SnapshotName final_snapshot;
  // Of a standalone cluster; members have what their group has.
  std::vector<LogDelivery> log_deliveries;
  std::optional<Instant> auth_token_modified_at;
  Tags tags;
  const Key& key() const { return id; }
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("id", s.id);
    v("replication_group", s.replication_group);
    v("status", s.status);
    v("settings", s.settings);
    v("upgrade", s.upgrade);
    v("applying", s.applying);
    v("pending", s.pending);
    v("nodes", s.nodes);
    v("az_mode", s.az_mode);
    v("created_at", s.created_at);
    v("retired_at", s.retired_at);
    v("restore", s.restore);
    v("final_snapshot", s.final_snapshot);
    v("log_deliveries", s.log_deliveries);
    v("auth_token_modified_at", s.auth_token_modified_at);
    v("tags", s.tags);
  }
};

// A node of it is being restarted on purpose: soon it loses what it holds, or has just lost it.
bool is_restarting(const CacheCluster& cluster);

// The node is to be restarted: its process is of a lower generation then, whatever became of the
// restarts before.
void ask_for_restart(Node& node);

// The settings by which its nodes are to run now.
CacheSettings effective_settings(const CacheCluster& cluster);

// It runs by this parameter group, or is going to.
bool uses(const CacheCluster& cluster, const ParameterGroupName& group);

}  // namespace hikae::core
