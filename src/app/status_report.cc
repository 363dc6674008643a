#include "app/status_report.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "app/host_views.h"
#include "core/placement/moving.h"
#include "core/reconcile/waiting.h"
#include "core/state/snapshots.h"

namespace hikae::app {
namespace {

using control::Awaitable;

std::uint32_t count_recovering(const std::vector<const core::CacheCluster*>& members) {
  return std::uint32_t(std::count_if(members.begin(), members.end(), [](const auto* member) {
    return std::any_of(member->nodes.begin(), member->nodes.end(),
                       [](const core::Node& node) { return node.recovering; });
  }));
}

std::string host_of(const core::CacheCluster* cluster) {
  return cluster == nullptr || cluster->nodes.empty() ? "" : cluster->nodes[0].host.str();
}

bool all_primaries(const core::State& state, const core::ReplicationGroup& group,
                   bool (*is_so)(const core::Node&)) {
  return std::all_of(
      group.node_groups.begin(), group.node_groups.end(), [&](const core::NodeGroup& node_group) {
        const auto* primary = state.find<core::CacheCluster>(node_group.primary);
        return primary != nullptr && !primary->nodes.empty() && is_so(primary->nodes[0]);
      });
}

std::uint32_t count_counted(const core::State& state, const core::ReplicationGroup& group) {
  std::uint32_t out = 0;
  for (const core::NodeGroup& node_group : group.node_groups) {
    for (const core::CacheClusterId& id : node_group.members) {
      const auto* member = state.find<core::CacheCluster>(id);
      const bool counted = member != nullptr && id != node_group.primary &&
                           !member->nodes.empty() &&
                           member->nodes[0].counted_epoch == node_group.epoch;
      out += counted ? 1 : 0;
    }
  }
  return out;
}

CacheView view_of(const core::State& state, const core::ReplicationGroup& group) {
  CacheView out;
  out.id = group.id.str();
  out.engine = fmt::format("{} {}", group.settings.engine, group.settings.engine_version);
  out.status = core::shown_status(state, group);
  std::vector<const core::CacheCluster*> members;
  for (const core::NodeGroup& node_group : group.node_groups) {
    out.primary += (out.primary.empty() ? "" : ",") + node_group.primary.str();
    const auto host = host_of(state.find<core::CacheCluster>(node_group.primary));
    out.host += (out.host.empty() ? "" : ",") + host;
    for (const core::CacheClusterId& id : node_group.members) {
      if (const auto* member = state.find<core::CacheCluster>(id)) {
        members.push_back(member);
      }
    }
  }
  out.lease = all_primaries(state, group, [](const core::Node& node) { return node.fenced; });
  out.kept = all_primaries(state, group, [](const core::Node& node) { return node.kept; });
  out.counted = count_counted(state, group);
  out.members = std::uint32_t(members.size());
  out.recovering = count_recovering(members);
  return out;
}

CacheView view_of(const core::State& state, const core::CacheCluster& cluster) {
  CacheView out;
  out.id = cluster.id.str();
  out.engine = fmt::format("{} {}", cluster.settings.engine, cluster.settings.engine_version);
  out.status = core::shown_status(state, cluster);
  out.primary = cluster.id.str();
  out.host = host_of(&cluster);
  out.members = 1;
  return out;
}

EventView view_of(const core::Event& event) {
  return EventView{event.id.value(), to_iso8601(event.at), event.source_type, event.source,
                   event.message};
}

}  // namespace

Awaitable<StatusAnswer> StatusReport::status() {
  StatusAnswer out;
  co_await add_servers(out);
  const core::State& state = parts_.frontend.state();
  out.region = state.region().name;
  out.revision = state.revision().value();
  out.hosts = host_views(state, parts_.duty);
  add_caches(out);
  out.waiting = core::nodes_without_place(state);
  for (const auto& [id, host] : state.all<core::Host>()) {
    if (host.draining) {
      auto notes = core::drain_notes(state, id);
      out.waiting.insert(out.waiting.end(), notes.begin(), notes.end());
    }
  }
  co_return out;
}

Awaitable<void> StatusReport::add_servers(StatusAnswer& out) {
  const std::string self = parts_.store.server();
  etcd::EtcdPresence* presence = parts_.store.presence();
  if (presence == nullptr) {
    out.leader = self;
    out.servers.push_back(ServerView{self, api_, true, true});
    co_return;
  }
  const auto present = co_await presence->list();
  if (!present) {
    out.servers_problem = present.error().message;
    out.servers.push_back(ServerView{self, api_, parts_.duty.is_active(), true});
    co_return;
  }
  out.leader = present->leader;
  out.term = present->term;
  for (const etcd::PresentServer& server : present->servers) {
    out.servers.push_back(
        ServerView{server.name, server.api, server.name == present->leader, server.name == self});
  }
}

void StatusReport::add_caches(StatusAnswer& out) const {
  const core::State& state = parts_.frontend.state();
  const auto add = [&](CacheView view, const control::Unit& unit) {
    view.note = parts_.duty.waits_for(unit);
    out.caches.push_back(std::move(view));
  };
  for (const auto& [id, group] : state.all<core::ReplicationGroup>()) {
    add(view_of(state, group), {control::Unit::Kind::kGroup, id.str()});
  }
  for (const auto& [id, cluster] : state.all<core::CacheCluster>()) {
    if (cluster.replication_group.empty()) {
      add(view_of(state, cluster), {control::Unit::Kind::kStandalone, id.str()});
    }
  }
}

EventsAnswer StatusReport::events(const HostRequest& request) const {
  EventsAnswer out;
  const auto& events = parts_.frontend.state().all<core::Event>();
  out.newest = events.empty() ? 0 : events.rbegin()->first.value();
  const std::uint64_t limit = std::min(request.limit, kMaxEventsInAnswer);
  for (auto it = events.rbegin(); it != events.rend() && out.events.size() < limit; ++it) {
    const core::Event& event = it->second;
    if (event.id.value() <= request.after) {
      break;
    }
    if (request.source.empty() || request.source == event.source ||
        request.source == event.source_type) {
      out.events.push_back(view_of(event));
    }
  }
  std::reverse(out.events.begin(), out.events.end());
  return out;
}

}  // namespace hikae::app
