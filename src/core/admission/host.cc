#include "core/admission/host.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/reconcile/lost_host.h"
#include "core/state/events.h"

namespace hikae::core {
namespace {

constexpr std::string_view kStandInPrefix = "local-";
constexpr std::size_t kIdentityLength = 64;  // SHA-256, hexadecimal
constexpr std::size_t kShownNodes = 3;
constexpr Duration kLongestTokenLife = std::chrono::hours(24 * 30);

tl::unexpected<Fault> invalid(std::string message) {
  return refuse("InvalidHost", std::move(message));
}

tl::unexpected<Fault> not_found(const HostId& id) {
  return refuse("HostNotFound",
                fmt::format("There is no host {}; `hikae host list` names them.", id.str()));
}

bool is_host_name(const std::string& name) {
  const bool clean =
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
  return clean && !name.empty() && name.size() <= kMaxHostNameLength && name.front() != '-' &&
         name.back() != '-' && !name.starts_with(kStandInPrefix);
}

bool is_identity(const std::string& text) {
  return text.size() == kIdentityLength &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string shown(const std::vector<NodeKey>& nodes) {
  std::string out;
  for (std::size_t i = 0; i < nodes.size() && i < kShownNodes; ++i) {
    out += (i == 0 ? "" : ", ") + nodes[i].str();
  }
  return nodes.size() > kShownNodes ? out + ", ..." : out;
}

// The zone's whole name; empty: the region has none such.
ZoneName zone_named(const Region& region, const std::string& given) {
  const ZoneName zone(given.size() == 1 ? region.name + given : given);
  const bool known =
      std::find(region.zones.begin(), region.zones.end(), zone) != region.zones.end();
  return known ? zone : ZoneName();
}

Admitted<void> check_addresses(const State& state, const HostId& id,
                               const std::vector<AddressRange>& addresses) {
  if (addresses.empty() || addresses.size() > kMaxRangesOfHost) {
    return invalid(fmt::format("Host {} needs 1 to {} ranges of addresses for its nodes.", id.str(),
                               kMaxRangesOfHost));
  }
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const AddressRange& range = addresses[i];
    count += range.last < range.first ? kMaxAddressesOfHost + 1 : range.size();
    for (std::size_t before = 0; before < i; ++before) {
      if (range.overlaps(addresses[before])) {
        return invalid(fmt::format("Host {} names {} twice.", id.str(), range.str()));
      }
    }
  }
  if (count > kMaxAddressesOfHost) {
    return invalid(
        fmt::format("Host {} has more than {} addresses.", id.str(), kMaxAddressesOfHost));
  }
  for (const auto& [other_id, other] : state.all<Host>()) {
    for (const AddressRange& range : other.addresses) {
      const auto shared = std::find_if(addresses.begin(), addresses.end(),
                                       [&](const auto& own) { return own.overlaps(range); });
      if (other_id != id && shared != addresses.end()) {
        return invalid(fmt::format(
            "Host {} may not use {}: {} belongs to host {}. Give every host addresses of its own.",
            id.str(), shared->str(), range.str(), other_id.str()));
      }
    }
  }
  return {};
}

// Nodes keep their addresses and their zone for as long as they are on the host.
Admitted<void> check_nodes(const State& state, const Host& host) {
  for (const auto& [cluster_id, nodes] : state.occupancy().on(host.id).clusters) {
    for (const Node& node : state.find<CacheCluster>(cluster_id)->nodes) {
      const bool comes = node.move.host == host.id;
      const Ipv4 address = comes ? node.move.address : node.address;
      const bool allowed =
          (node.host != host.id && !comes) ||
          std::any_of(host.addresses.begin(), host.addresses.end(),
                      [&](const AddressRange& range) { return range.contains(address); });
      if (!allowed) {
        return invalid(fmt::format("Host {} must keep {}: node {}/{} has it.", host.id.str(),
                                   address.str(), cluster_id.str(), node.id.str()));
      }
    }
  }
  return {};
}

// The host as its facts say.
Admitted<Host> with_facts(const State& state, Host host, const HostFacts& facts) {
  const ZoneName zone = zone_named(state.region(), facts.zone);
  if (zone.empty()) {
    return invalid(fmt::format("Host {} names zone {}, which region {} does not have.",
                               host.id.str(), facts.zone, state.region().name));
  }
  if (!host.zone.empty() && host.zone != zone) {
    return invalid(fmt::format(
        "Host {} is in zone {} and cannot move to {}; remove it, and let it join again.",
        host.id.str(), host.zone.str(), zone.str()));
  }
  if (facts.max_nodes < 1 || facts.max_nodes > kMaxNodesOfHost) {
    return invalid(fmt::format("Host {} may have 1 to {} nodes, not {}.", host.id.str(),
                               kMaxNodesOfHost, facts.max_nodes));
  }
  if (auto checked = check_addresses(state, host.id, facts.addresses); !checked) {
    return tl::unexpected(checked.error());
  }
  host.zone = zone;
  host.max_nodes = facts.max_nodes;
  host.memory_bytes = facts.memory_bytes;
  host.addresses = facts.addresses;
  host.engines = facts.engines;
  host.software = facts.software;
  host.shared_addresses = facts.shared_addresses;
  host.fences = facts.fences;
  host.keeps = facts.keeps;
  host.fronts = facts.fronts;
  if (auto checked = check_nodes(state, host); !checked) {
    return tl::unexpected(checked.error());
  }
  return host;
}

bool same_facts(const Host& a, const Host& b) {
  return a.zone == b.zone && a.max_nodes == b.max_nodes && a.memory_bytes == b.memory_bytes &&
         a.addresses == b.addresses && a.engines == b.engines && a.software == b.software &&
         a.shared_addresses == b.shared_addresses && a.fences == b.fences && a.keeps == b.keeps &&
         a.fronts == b.fronts;
}

Admitted<void> check_token(const State& state, const JoinHost& command, Instant now) {
  const auto* token = state.find<JoinToken>(command.token);
  if (token == nullptr || token->expires_at <= now ||
      token->secret_sha256 != command.secret_sha256) {
    return refuse("InvalidJoinToken",
                  "The join token is unknown or has expired; make another one with `hikae host "
                  "token` on a server.");
  }
  return {};
}

void remove_expired_tokens(const State& state, Instant now, Transition& out) {
  for (const auto& [id, token] : state.all<JoinToken>()) {
    if (token.expires_at <= now) {
      out.remove<JoinToken>(id);
    }
  }
}

// The nodes of a lost host have no place any more; whoever reconciles finds them another one.
void displace_nodes(const State& state, const HostId& host, Instant now, Transition& out) {
  EventWriter events(state, now);
  for (const auto& [id, nodes] : state.occupancy().on(host).clusters) {
    CacheCluster next = *state.find<CacheCluster>(id);
    if (displace(state, host, next, events)) {
      out.put(std::move(next));
    }
  }
  events.finish(out);
}

}  // namespace

Admitted<Transition> admit(const State& state, const CreateJoinToken& command,
                           AdmissionContext context) {
  if (command.lifetime <= Duration() || command.lifetime > kLongestTokenLife) {
    return refuse("InvalidJoinToken", "A join token lives for one second to 30 days.");
  }
  Transition out;
  remove_expired_tokens(state, context.now, out);
  if (state.all<JoinToken>().size() - out.changes.size() >= kMaxJoinTokens) {
    return refuse("InvalidJoinToken",
                  fmt::format("There are {} join tokens already; wait until one has expired.",
                              kMaxJoinTokens));
  }
  out.put(
      JoinToken{command.id, command.secret_sha256, context.now, context.now + command.lifetime});
  return out;
}

Admitted<Transition> admit(const State& state, const JoinHost& command, AdmissionContext context) {
  if (auto checked = check_token(state, command, context.now); !checked) {
    return tl::unexpected(checked.error());
  }
  if (!is_host_name(command.name) || !is_identity(command.identity)) {
    return invalid(fmt::format(
        "The host name '{}' must have 1 to {} lower-case letters, digits and hyphens and must not "
        "begin with '{}'; choose another with --name.",
        command.name, kMaxHostNameLength, kStandInPrefix));
  }
  const HostId id(command.name);
  for (const auto& [other_id, other] : state.all<Host>()) {
    if (other_id != id && other.identity == command.identity) {
      return invalid(
          fmt::format("This agent's key belongs to host {}; use its name.", other_id.str()));
    }
  }
  const auto* known = state.find<Host>(id);
  if (known != nullptr && known->identity != command.identity) {
    return refuse("HostAlreadyExists",
                  fmt::format("There is another host {0}; choose another name with --name, or "
                              "remove that host (hikae host remove {0}).",
                              id.str()));
  }
  if (known == nullptr && state.all<Host>().size() >= kMaxHosts) {
    return invalid(fmt::format("The region has {} hosts, and cannot have more.", kMaxHosts));
  }
  Host host = known == nullptr ? Host() : *known;
  host.id = id;
  host.identity = command.identity;
  host.joined_at = known == nullptr ? context.now : known->joined_at;
  auto next = with_facts(state, std::move(host), command.facts);
  if (!next) {
    return tl::unexpected(next.error());
  }
  Transition out;
  remove_expired_tokens(state, context.now, out);
  out.put(std::move(*next));
  return out;
}

Admitted<Transition> admit(const State& state, const RefreshHost& command, AdmissionContext) {
  const auto* known = state.find<Host>(command.id);
  if (known == nullptr) {
    return not_found(command.id);
  }
  auto next = with_facts(state, *known, command.facts);
  if (!next) {
    return tl::unexpected(next.error());
  }
  Transition out;
  if (!same_facts(*known, *next)) {
    out.put(std::move(*next));
  }
  return out;
}

Admitted<Transition> admit(const State& state, const CordonHost& command, AdmissionContext) {
  const auto* known = state.find<Host>(command.id);
  if (known == nullptr) {
    return not_found(command.id);
  }
  Transition out;
  if (known->cordoned != command.cordoned) {
    Host next = *known;
    next.cordoned = command.cordoned;
    next.draining = next.draining && command.cordoned;
    out.put(std::move(next));
  }
  return out;
}

Admitted<Transition> admit(const State& state, const DrainHost& command, AdmissionContext context) {
  const auto* known = state.find<Host>(command.id);
  if (known == nullptr) {
    return not_found(command.id);
  }
  if (known->is_stand_in()) {
    return invalid(
        fmt::format("Host {} is this machine's own stand-in for zone {}; its nodes have "
                    "nowhere to go.",
                    command.id.str(), known->zone.str()));
  }
  if (command.draining && known->absent_since != Instant()) {
    return refuse("HostInUse", fmt::format("Host {} is out of reach; its nodes can move only while "
                                           "its agent is connected.",
                                           command.id.str()));
  }
  Host next = *known;
  next.draining = command.draining;
  next.cordoned = next.cordoned || command.draining;
  next.drain_until =
      command.draining && command.timeout > Duration() ? context.now + command.timeout : Instant();
  Transition out;
  out.put(std::move(next));
  return out;
}

Admitted<Transition> admit(const State& state, const NoteHost& command, AdmissionContext context) {
  const auto* known = state.find<Host>(command.id);
  Transition out;
  if (known == nullptr || (known->absent_since == Instant()) == command.connected) {
    return out;
  }
  Host next = *known;
  next.absent_since = command.connected ? Instant() : context.now;
  out.put(std::move(next));
  return out;
}

Admitted<Transition> admit(const State& state, const RemoveHost& command,
                           AdmissionContext context) {
  const auto* known = state.find<Host>(command.id);
  if (known == nullptr) {
    return not_found(command.id);
  }
  if (known->is_stand_in()) {
    return invalid(fmt::format("Host {} is this machine's own stand-in for zone {}.",
                               command.id.str(), known->zone.str()));
  }
  const auto nodes = nodes_on(state, command.id);
  if (!nodes.empty() && !command.lost) {
    return refuse(
        "HostInUse",
        fmt::format("Host {} has {} nodes ({}). Cordon it and delete or replace them; or, "
                    "if the machine is gone for good, say so with --lost.",
                    command.id.str(), nodes.size(), shown(nodes)));
  }
  Transition out;
  displace_nodes(state, command.id, context.now, out);
  out.remove<Host>(command.id);
  return out;
}

Admitted<Transition> admit(const State& state, const ChooseShape& command, AdmissionContext) {
  Transition out;
  bool any_stand_in = false;
  for (const auto& [id, host] : state.all<Host>()) {
    any_stand_in = any_stand_in || host.is_stand_in();
    if (host.is_stand_in() == command.one_machine) {
      if (host.is_stand_in() && host.fronts != command.fronts) {
        Host next = host;
        next.fronts = command.fronts;
        out.put(std::move(next));
      }
      continue;
    }
    if (!host.is_stand_in()) {
      return refuse("HostInUse",
                    fmt::format("The region's nodes run on hosts that joined it ({} is "
                                "one); serve it with agents_listen, or remove them.",
                                id.str()));
    }
    if (const auto nodes = nodes_on(state, id); !nodes.empty()) {
      return refuse("HostInUse",
                    fmt::format("The region's nodes run on this machine alone ({}); serve it "
                                "without agents_listen, or delete them first.",
                                shown(nodes)));
    }
    out.remove<Host>(id);
  }
  if (command.one_machine && !any_stand_in) {
    for (const ZoneName& zone : state.region().zones) {
      Host host = stand_in_for(zone);
      host.fronts = command.fronts;
      out.put(std::move(host));
    }
  }
  return out;
}

Host stand_in_for(const ZoneName& zone) {
  Host host;
  host.id = HostId(std::string(kStandInPrefix) + zone.str());
  host.zone = zone;
  return host;
}

Fault no_front(const Host& host) {
  return Fault{"InvalidParameterCombination",
               fmt::format("TransitEncryptionMode preferred needs a module in the engines of host "
                           "{}, which is not installed there or not known to its agent. Run hikae "
                           "doctor on that host.",
                           host.id.str())};
}

std::vector<NodeKey> nodes_on(const State& state, const HostId& host) {
  std::vector<NodeKey> out;
  for (const auto& [id, nodes] : state.occupancy().on(host).clusters) {
    for (const Node& node : state.find<CacheCluster>(id)->nodes) {
      if (node.host == host || node.move.host == host) {
        out.push_back(NodeKey{id, node.id});
      }
    }
  }
  return out;
}

}  // namespace hikae::core
