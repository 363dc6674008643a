#include "app/host_views.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "core/placement/host_room.h"

namespace hikae::app {
namespace {

std::string joined(const std::vector<AddressRange>& ranges) {
  std::vector<std::string> texts;
  for (const AddressRange& range : ranges) {
    texts.push_back(range.str());
  }
  return join(texts, ",");
}

std::string state_of(const core::Host& host, const RegionDuty& duty) {
  std::string out = "this machine";
  if (!host.is_stand_in()) {
    const bool here = duty.is_connected(host.id).value_or(host.absent_since == Instant());
    out = here ? "connected" : "disconnected";
  }
  return out + (host.draining ? ", draining" : host.cordoned ? ", cordoned" : "");
}

HostView view_of(const core::Host& host, const core::HostRoom& room, const RegionDuty& duty) {
  HostView out;
  out.id = host.id.str();
  out.zone = host.zone.str();
  out.state = state_of(host, duty);
  out.draining = host.draining;
  out.note = duty.note(host.id);
  out.nodes = std::uint32_t(room.nodes_on(host.id));
  out.max_nodes = host.max_nodes;
  out.memory_used = room.memory_on(host.id);
  out.memory_bytes = host.memory_bytes;
  out.addresses = joined(host.addresses) + (host.shared_addresses ? " (shared)" : "");
  out.engines = join(host.engines, ", ");
  out.software = host.software;
  out.fences = host.fences;
  out.keeps = host.keeps;
  return out;
}

// How the host's engines are fenced.
std::string fence_of(const HostView& host) {
  return !host.fences ? "no" : host.keeps ? "by keepers" : "yes";
}

}  // namespace

std::vector<HostView> host_views(const core::State& state, const RegionDuty& duty) {
  std::vector<HostView> out;
  const core::HostRoom room(state);
  for (const auto& [id, host] : state.all<core::Host>()) {
    out.push_back(view_of(host, room, duty));
  }
  return out;
}

std::vector<std::vector<std::string>> host_rows(const std::vector<HostView>& hosts) {
  std::vector<std::vector<std::string>> rows = {
      {"HOST", "ZONE", "STATE", "NODES", "MEMORY", "ADDRESSES", "FENCES", "ENGINES"}};
  for (const HostView& host : hosts) {
    const std::string memory = host.memory_bytes == 0
                                   ? "not counted"
                                   : fmt::format("{} of {}", core::in_words(host.memory_used),
                                                 core::in_words(host.memory_bytes));
    rows.push_back({host.id, host.zone, host.state, fmt::format("{}", host.nodes), memory,
                    host.addresses.empty() ? "loopback" : host.addresses, fence_of(host),
                    host.engines});
  }
  return rows;
}

}  // namespace hikae::app
