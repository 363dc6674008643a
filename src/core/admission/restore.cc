#include "core/admission/restore.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "core/admission/identifiers.h"
#include "core/admission/snapshot.h"
#include "core/catalog/catalog.h"
#include "core/reconcile/roll.h"
#include "core/resource/snapshot.h"

namespace hikae::core {
namespace {

// The same or a later version, and from Redis to Valkey; never back.
bool can_load(const CacheSettings& from, const CacheSettings& to) {
  return from.engine == to.engine ? compare_versions(to.engine_version, from.engine_version) >= 0
                                  : from.engine == "redis" && to.engine == "valkey";
}

const Snapshot* find_snapshot(const State& state, const RestoreRequest& restore) {
  return restore.snapshot ? state.find<Snapshot>(lookup_id<SnapshotName>(*restore.snapshot))
                          : nullptr;
}

template <class T>
void default_to(std::optional<T>& setting, const T& value) {
  if (!setting) {
    setting = value;
  }
}

std::optional<Fault> too_large(const State& state, const CacheSettings& settings,
                               std::uint64_t bytes, const std::string& origin) {
  const std::uint64_t room = room_of(state, settings);
  if (room == 0 || bytes <= room) {
    return std::nullopt;
  }
  return Fault{"InvalidParameterCombination",
               fmt::format("The data of {} takes {} bytes and does not fit into a {} with {}.",
                           origin, bytes, settings.node_type, room)};
}

}  // namespace

Admitted<CacheSettingsRequest> with_snapshot_settings(const State& state,
                                                      const RestoreRequest& restore,
                                                      CacheSettingsRequest request) {
  if (restore.snapshot && restore.fetched) {
    return refuse("InvalidParameterCombination",
                  "SnapshotName and SnapshotArns cannot be specified together.");
  }
  if (!restore.snapshot) {
    return request;
  }
  const auto* snapshot = find_snapshot(state, restore);
  if (snapshot == nullptr) {
    return refuse("InvalidParameterValue",
                  fmt::format("Snapshot not found: {}", *restore.snapshot));
  }
  if (snapshot->status != "available" && snapshot->status != "copying" &&
      snapshot->status != "exporting") {
    return refuse("InvalidParameterValue",
                  fmt::format("Snapshot {} is not available: its status is {}.",
                              snapshot->name.str(), snapshot->status));
  }
  const CacheSettings& from = snapshot->settings;
  const bool other_engine = request.engine && to_lower(*request.engine) != from.engine;
  // A parameter group is of one family, so it goes with the version.
  if (!other_engine && !request.engine_version &&
      (state.find<ParameterGroup>(from.parameter_group) != nullptr ||
       find_default_parameter_group(from.parameter_group.str()))) {
    default_to(request.parameter_group, from.parameter_group.str());
  }
  if (!other_engine) {
    default_to(request.engine_version, from.engine_version);
  }
  default_to(request.engine, from.engine);
  default_to(request.node_type, from.node_type);
  default_to(request.port, int(from.port));
  return request;
}

Admitted<RestoreSource> restore_source(const State& state, const RestoreRequest& restore,
                                       const CacheSettings& settings) {
  RestoreSource out;
  std::uint64_t needed = 0;
  if (const auto* snapshot = find_snapshot(state, restore)) {
    if (!can_load(snapshot->settings, settings)) {
      return refuse(
          "InvalidParameterCombination",
          fmt::format("Snapshot {} was taken of {} {} and cannot be restored to {} {}.",
                      snapshot->name.str(), snapshot->settings.engine,
                      snapshot->settings.engine_version, settings.engine, settings.engine_version));
    }
    const NodeSnapshot& data = snapshot->nodes.front();
    out = {data.file, snapshot->name, "snapshot " + snapshot->name.str(), data.bytes, 0};
    needed = data.used_memory;
  } else if (restore.fetched) {
    out = {restore.fetched->file, {}, restore.fetched->arn, restore.fetched->bytes, 0};
    needed = restore.fetched->used_memory;
  }
  if (auto fault = too_large(state, settings, std::max(needed, out.bytes), out.origin)) {
    return tl::unexpected(*fault);
  }
  return out;
}

}  // namespace hikae::core
