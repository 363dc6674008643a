#include "core/reconcile/snapshot_work.h"

#include <fmt/format.h>

#include "core/reconcile/snapshot_events.h"

namespace hikae::core {
namespace {

std::optional<SnapshotWork> work_of(const Snapshot& snapshot) {
  using Kind = SnapshotWork::Kind;
  if (snapshot.status == "creating" && !snapshot.copy_of.empty()) {
    return SnapshotWork{Kind::kCopy, snapshot.name};
  }
  if (snapshot.status == "exporting") {
    return SnapshotWork{Kind::kExport, snapshot.name};
  }
  if (snapshot.status == "deleting") {
    return SnapshotWork{Kind::kRemove, snapshot.name};
  }
  return std::nullopt;
}

void release_source(const State& state, const Snapshot& copy, Transition& out) {
  const auto* source = state.find<Snapshot>(copy.copy_of);
  if (source != nullptr && source->status == "copying") {
    Snapshot next = *source;
    next.status = "available";
    out.put(std::move(next));
  }
}

Transition end_copy(const State& state, Snapshot copy, const std::string& text, Instant now) {
  Transition out;
  EventWriter events(state, now);
  release_source(state, copy, out);
  copy.copy_of = {};
  add_snapshot_event(copy, text, events);
  out.put(std::move(copy));
  events.finish(out);
  return out;
}

}  // namespace

std::optional<SnapshotWork> next_snapshot_work(const State& state,
                                               const std::set<SnapshotName>& later) {
  for (const auto& [name, snapshot] : state.all<Snapshot>()) {
    if (auto work = work_of(snapshot); work && !later.contains(name)) {
      return work;
    }
  }
  return std::nullopt;
}

std::set<std::string> snapshot_files_in_use(const State& state) {
  std::set<std::string> out;
  for (const auto& [name, snapshot] : state.all<Snapshot>()) {
    for (const NodeSnapshot& node : snapshot.nodes) {
      out.insert(node.file);
    }
  }
  for (const auto& [id, cluster] : state.all<CacheCluster>()) {
    out.insert(cluster.restore.file);
  }
  out.erase("");
  return out;
}

Transition snapshot_copied(const State& state, const SnapshotName& name,
                           const std::vector<std::string>& files, AdmissionContext context) {
  const auto* found = state.find<Snapshot>(name);
  if (found == nullptr || found->status != "creating" || files.size() != found->nodes.size()) {
    return {};
  }
  Snapshot copy = *found;
  copy.status = "available";
  for (std::size_t i = 0; i < files.size(); ++i) {
    copy.nodes[i].file = files[i];
  }
  return end_copy(state, std::move(copy),
                  fmt::format("Snapshot {} was copied to {}", found->copy_of.str(), name.str()),
                  context.now);
}

Transition snapshot_copy_failed(const State& state, const SnapshotName& name,
                                const std::string& why, AdmissionContext context) {
  const auto* found = state.find<Snapshot>(name);
  if (found == nullptr || found->status != "creating") {
    return {};
  }
  Snapshot copy = *found;
  copy.status = "failed";
  return end_copy(
      state, std::move(copy),
      fmt::format("Copying snapshot {} to {} failed: {}", found->copy_of.str(), name.str(), why),
      context.now);
}

Transition snapshot_exported(const State& state, const SnapshotName& name, const std::string& why,
                             AdmissionContext context) {
  const auto* found = state.find<Snapshot>(name);
  if (found == nullptr || found->status != "exporting") {
    return {};
  }
  Transition out;
  EventWriter events(state, context.now);
  Snapshot next = *found;
  next.status = "available";
  next.bucket.clear();
  next.key_prefix.clear();
  const std::string what = fmt::format("snapshot {} to bucket {}", name.str(), found->bucket);
  add_snapshot_event(
      next,
      why.empty() ? fmt::format("Exported {} as {}", what, export_key(*found, found->nodes[0]))
                  : fmt::format("Exporting {} failed: {}", what, why),
      events);
  out.put(std::move(next));
  events.finish(out);
  return out;
}

Transition snapshot_removed(const State& state, const SnapshotName& name) {
  Transition out;
  const auto* found = state.find<Snapshot>(name);
  if (found != nullptr && found->status == "deleting") {
    out.remove<Snapshot>(name);
  }
  return out;
}

std::string export_key(const Snapshot& snapshot, const NodeSnapshot& node) {
  return fmt::format("{}-{}.rdb", snapshot.key_prefix,
                     node.node_group.empty() ? "0001" : node.node_group.str());
}

}  // namespace hikae::core
