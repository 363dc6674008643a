#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "core/resource/ids.h"
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
  bool auto_minor_version_upgrade = true;
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
    v("auto_minor_version_upgrade", s.auto_minor_version_upgrade);
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
  Ipv4 address;      // where it is reachable, what DNS answers
  NetworkInterfaceId network_interface;
  std::string placement_reason;  // one line for people
  // Raised by one for every restart that is asked for; the agent restarts a process of a lower one.
  std::uint64_t generation = 1;
  Instant created_at;
  std::string parameter_status = "in-sync";  // in-sync, applying, pending-reboot
  // The process was lost and is being brought back. Meanwhile no shared name leads to the node.
  bool recovering = false;
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
    v("created_at", s.created_at);
    v("parameter_status", s.parameter_status);
    v("recovering", s.recovering);
  }
};

// A cache cluster: a standalone node, a member of a replication group, or a set of memcached nodes.
struct CacheCluster {
  using Key = CacheClusterId;
  static constexpr const char* kKind = "cache_cluster";
  CacheClusterId id;
  ReplicationGroupId replication_group;  // empty when standalone
  // CacheClusterStatus: creating, available, modifying, rebooting cluster nodes, deleting
  std::string status = "creating";
  CacheSettings settings;
  std::vector<Node> nodes;
  std::string az_mode;                // `single-az`, `cross-az`; memcached only
  std::optional<Instant> created_at;  // set when it first becomes available
  // The revision at which the cluster left its host's assignment (status deleting). It is gone once
  // the host has taken up an assignment of this revision or later and no longer has the node.
  Revision retired_at;
  Tags tags;
  const Key& key() const { return id; }
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("id", s.id);
    v("replication_group", s.replication_group);
    v("status", s.status);
    v("settings", s.settings);
    v("nodes", s.nodes);
    v("az_mode", s.az_mode);
    v("created_at", s.created_at);
    v("retired_at", s.retired_at);
    v("tags", s.tags);
  }
};

}  // namespace hikae::core
