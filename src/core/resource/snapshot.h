#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "core/resource/cache_cluster.h"
#include "core/resource/ids.h"
#include "core/resource/tags.h"

namespace hikae::core {

// The data of one node group (or of one standalone node) in a snapshot: one RDB file.
struct NodeSnapshot {
  NodeGroupId node_group;  // empty for a standalone cluster
  CacheClusterId cluster;  // whose data it is, as the API shows it
  NodeId node;
  Instant node_created_at;
  // Who saves its data, or did: chosen when it begins, and anew when that one is lost.
  CacheClusterId taker;
  int attempts = 0;
  std::string file;  // in the region's snapshot directory; a new name for every attempt
  std::uint64_t bytes = 0;
  std::uint64_t used_memory = 0;  // bytes that the data took in the engine; 0: unknown
  int format = 0;                 // version of the RDB format
  std::string checksum;           // CRC-64 of the file, 16 hexadecimal digits
  Instant taken_at;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("node_group", s.node_group);
    v("cluster", s.cluster);
    v("node", s.node);
    v("node_created_at", s.node_created_at);
    v("taker", s.taker);
    v("attempts", s.attempts);
    v("file", s.file);
    v("bytes", s.bytes);
    v("used_memory", s.used_memory);
    v("format", s.format);
    v("checksum", s.checksum);
    v("taken_at", s.taken_at);
  }
};

// A backup of a group or of a cluster, with what is to be known of its source. It outlives that.
struct Snapshot {
  using Key = SnapshotName;
  static constexpr const char* kKind = "snapshot";
  SnapshotName name;
  // creating, available, failed, copying (another snapshot is made of it), exporting, deleting
  std::string status = "creating";
  std::string source = "manual";  // manual, automated
  // The source as it was.
  CacheClusterId cluster;
  ReplicationGroupId group;  // empty: a standalone cluster
  std::string description;   // of the group
  std::string automatic_failover = "disabled";
  int node_groups = 1;
  int cache_nodes = 1;
  CacheSettings settings;
  ZoneName zone;
  VpcId vpc;
  std::optional<Instant> cluster_created_at;
  Instant created_at;
  std::vector<NodeSnapshot> nodes;
  SnapshotName copy_of;  // while creating: its files are copies of this one's
  // While exporting: `<key>-0001.rdb` in this bucket.
  std::string bucket;
  std::string key_prefix;
  Tags tags;
  const Key& key() const { return name; }
  // Its data is being taken from a node.
  bool is_under_way() const { return status == "creating" && copy_of.empty(); }
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("name", s.name);
    v("status", s.status);
    v("source", s.source);
    v("cluster", s.cluster);
    v("group", s.group);
    v("description", s.description);
    v("automatic_failover", s.automatic_failover);
    v("node_groups", s.node_groups);
    v("cache_nodes", s.cache_nodes);
    v("settings", s.settings);
    v("zone", s.zone);
    v("vpc", s.vpc);
    v("cluster_created_at", s.cluster_created_at);
    v("created_at", s.created_at);
    v("nodes", s.nodes);
    v("copy_of", s.copy_of);
    v("bucket", s.bucket);
    v("key_prefix", s.key_prefix);
    v("tags", s.tags);
  }
};

}  // namespace hikae::core
