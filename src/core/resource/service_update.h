#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "core/resource/ids.h"

namespace hikae::core {

// A program of an engine that was installed while nodes ran an older one.
struct ServiceUpdate {
  using Key = ServiceUpdateName;
  static constexpr const char* kKind = "service_update";
  ServiceUpdateName name;
  std::string engine;   // of the program: `valkey`, also where it serves Redis
  std::string version;  // `8.0.2`
  Instant released_at;  // when it was first seen
  const Key& key() const { return name; }
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("name", s.name);
    v("engine", s.engine);
    v("version", s.version);
    v("released_at", s.released_at);
  }
};

// How far a service update has come with one node. Times are zero until they have come.
struct NodeUpdate {
  NodeKey node;
  // NodeUpdateStatus: not-applied, waiting-to-start, in-progress, stopped, complete
  std::string status = "not-applied";
  Instant started_at;
  Instant ended_at;
  Instant modified_at;
  friend bool operator==(const NodeUpdate&, const NodeUpdate&) = default;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("node", s.node);
    v("status", s.status);
    v("started_at", s.started_at);
    v("ended_at", s.ended_at);
    v("modified_at", s.modified_at);
  }
};

// How far it has come with a replication group, or with a cluster that belongs to none.
struct UpdateAction {
  using Key = UpdateActionId;
  static constexpr const char* kKind = "update_action";
  UpdateActionId id;  // actions of one group or cluster follow each other (state/updates.h)
  ServiceUpdateName update;
  ReplicationGroupId replication_group;  // empty: of the cluster
  CacheClusterId cluster;
  // UpdateActionStatus: not-applied, waiting-to-start, in-progress, stopping, stopped, complete,
  // not-applicable
  std::string status = "not-applied";
  bool minor = false;  // every node that it replaces runs the same major and minor version
  Instant available_at;
  Instant modified_at;       // the status
  std::string initiated_by;  // customer, system; empty: nobody has yet
  Instant initiated_at;
  std::vector<NodeUpdate> nodes;
  const Key& key() const { return id; }
  friend bool operator==(const UpdateAction&, const UpdateAction&) = default;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("id", s.id);
    v("update", s.update);
    v("replication_group", s.replication_group);
    v("cluster", s.cluster);
    v("status", s.status);
    v("minor", s.minor);
    v("available_at", s.available_at);
    v("modified_at", s.modified_at);
    v("initiated_by", s.initiated_by);
    v("initiated_at", s.initiated_at);
    v("nodes", s.nodes);
  }
};

}  // namespace hikae::core
