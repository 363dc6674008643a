#include "control/assignment_book.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "core/reconcile/assignments.h"

namespace hikae::control {
namespace {

constexpr std::size_t kMaxInterned = 1024;

}  // namespace

AssignmentBook::AssignmentBook(boost::asio::any_io_executor executor, const core::State& state,
                               core::Observed& observed, AgentLink& link, Instant session)
    : executor_(std::move(executor)),
      state_(state),
      observed_(observed),
      link_(link),
      session_(session) {}

void AssignmentBook::refresh(const std::set<Unit>& units) {
  for (const Unit& unit : units) {
    refresh_unit(unit);
  }
  if (!changed_.empty()) {
    flush_later();
  }
}

void AssignmentBook::refresh_host(const core::HostId& host) {
  changed_.insert(host);
  flush_later();
}

void AssignmentBook::refresh_all() {
  for (const auto& [id, host] : state_.all<core::Host>()) {
    changed_.insert(id);
  }
  refresh(all_units(state_));
  flush_later();
}

void AssignmentBook::refresh_unit(const Unit& unit) {
  mark(unit);
  auto& before = placed_[unit];
  Placed now;
  for (const core::CacheCluster* cluster : clusters_of(state_, unit)) {
    for (const core::Node& node : cluster->nodes) {
      auto wanted = core::node_assignment(state_, observed_, *cluster, node, known_);
      if (!wanted) {
        continue;
      }
      Slot& slot = put(unit, node.host, *wanted);
      if (!before.contains({node.host, wanted->node})) {
        // What was said of it elsewhere means nothing here.
        forget_marks(wanted->node);
        slot.forbidden = {};
        slot.counted = {};
      }
      note(slot);
      now.emplace(node.host, wanted->node);
    }
  }
  const Placed arriving = refresh_arrivals(unit, now);
  for (const auto& [host, key] : before) {
    if (!now.contains({host, key}) && !arriving.contains({host, key})) {
      take_away(unit, host, key);
      const bool elsewhere =
          std::any_of(now.begin(), now.end(), [&](const auto& one) { return one.second == key; });
      if (!elsewhere) {
        forget_marks(key);
      }
    }
  }
  if (now.empty()) {
    placed_.erase(unit);
  } else {
    before = std::move(now);
  }
}

AssignmentBook::Placed AssignmentBook::refresh_arrivals(const Unit& unit, const Placed& placed) {
  Placed now;
  for (const core::CacheCluster* cluster : clusters_of(state_, unit)) {
    for (const core::Node& node : cluster->nodes) {
      if (auto wanted = core::arrival_assignment(state_, observed_, *cluster, node, known_)) {
        now.emplace(node.move.host, wanted->node);
        put(unit, node.move.host, std::move(*wanted));
      }
    }
  }
  const auto known = arriving_.find(unit);
  if (known != arriving_.end()) {
    for (const auto& [host, key] : known->second) {
      if (!now.contains({host, key}) && !placed.contains({host, key})) {
        take_away(unit, host, key);
      }
    }
  }
  if (now.empty()) {
    arriving_.erase(unit);
  } else {
    arriving_[unit] = now;
  }
  return now;
}

void AssignmentBook::take_away(const Unit& unit, const core::HostId& host,
                               const core::NodeKey& key) {
  auto& slots = hosts_[host];
  const auto known = slots.find(key);
  if (known != slots.end() && known->second.owner == unit) {
    slots.erase(known);
    changed_.insert(host);
  }
}

AssignmentBook::Slot& AssignmentBook::put(const Unit& unit, const core::HostId& host,
                                          core::NodeAssignment wanted) {
  wanted.users = intern(wanted.users);
  auto& slots = hosts_[host];
  const auto known = slots.find(wanted.node);
  if (known == slots.end()) {
    changed_.insert(host);
    const core::NodeKey key = wanted.node;
    return slots.emplace(key, Slot{std::move(wanted), {}, {}, unit}).first->second;
  }
  known->second.owner = unit;
  if (*known->second.wanted != wanted) {
    changed_.insert(host);
    if (known->second.wanted->role != wanted.role) {
      changing_roles_.insert(host);
    }
    known->second.wanted = std::move(wanted);
  }
  return known->second;
}

void AssignmentBook::forget_marks(const core::NodeKey& key) {
  observed_.may_start_again.erase(key);
  observed_.may_be_promoted.erase(key);
  observed_.unheard.erase(key);
  observed_.counted.erase(key);
}

void AssignmentBook::note(Slot& slot) const {
  const auto set = [this](std::optional<std::uint64_t>& since, bool forbidden) {
    if (!forbidden) {
      since.reset();
    } else if (!since) {
      since = sent_ + 1;
    }
  };
  const core::NodeAssignment& wanted = *slot.wanted;
  const bool replica = wanted.role == core::Role::kReplica;
  Forbidden& node = slot.forbidden;
  set(node.start_as_primary, replica || wanted.hold);
  set(node.promotion, replica || !wanted.may_promote);
  if (std::exchange(node.anew, wanted.anew) != wanted.anew) {
    node.rest.reset();
  }
  set(node.rest, wanted.survey);
  note_counted(slot);
}

void AssignmentBook::note_counted(Slot& slot) const {
  const core::NodeAssignment& wanted = *slot.wanted;
  Counted& counted = slot.counted;
  if (wanted.role == core::Role::kReplica || !wanted.kept || counted.epoch != wanted.epoch) {
    counted = {wanted.epoch, {}};
  }
  if (wanted.role == core::Role::kReplica || !wanted.kept) {
    return;
  }
  std::erase_if(counted.since, [&](const auto& one) {
    return std::find(wanted.peers.begin(), wanted.peers.end(), one.first) == wanted.peers.end();
  });
  for (const Ipv4 peer : wanted.peers) {
    counted.since.try_emplace(peer, sent_ + 1);
  }
}

std::set<core::NodeKey> AssignmentBook::acknowledge(const core::HostId& host,
                                                    const core::AssignmentTicket& ticket) {
  std::set<core::NodeKey> out;
  std::uint64_t& newest = acknowledged_[host];
  if (ticket.session != session_ || ticket.number <= newest) {
    return out;
  }
  const std::uint64_t before = std::exchange(newest, ticket.number);
  for (const auto& [key, slot] : hosts_[host]) {
    const Forbidden& node = slot.forbidden;
    const auto& peers = slot.counted.since;
    if (node.start_as_primary.value_or(0) > before || node.promotion.value_or(0) > before ||
        node.rest.value_or(0) > before ||
        std::any_of(peers.begin(), peers.end(),
                    [&](const auto& one) { return one.second > before; })) {
      out.insert(key);
    }
  }
  return out;
}

void AssignmentBook::mark(const Unit& unit) {
  const auto set = [](std::set<core::NodeKey>& nodes, const core::NodeKey& key, bool in) {
    if (in) {
      nodes.insert(key);
    } else {
      nodes.erase(key);
    }
  };
  const auto placed = placed_.find(unit);
  if (placed == placed_.end()) {
    return;
  }
  for (const auto& [host, key] : placed->second) {
    const auto& slots = hosts_[host];
    const auto slot = slots.find(key);
    if (slot == slots.end() || slot->second.owner != unit) {
      continue;
    }
    const Forbidden& node = slot->second.forbidden;
    const std::uint64_t known = acknowledged_[host];
    set(observed_.may_start_again, key, !node.start_as_primary || *node.start_as_primary > known);
    set(observed_.may_be_promoted, key, !node.promotion || *node.promotion > known);
    set(observed_.unheard, key, !node.rest || *node.rest > known);
  }
  mark_counted(placed->second);
}

void AssignmentBook::mark_counted(const Placed& placed) {
  std::map<Ipv4, core::Epoch> counted;
  for (const auto& [host, key] : placed) {
    const auto slot = hosts_[host].find(key);
    if (slot == hosts_[host].end()) {
      continue;
    }
    for (const auto& [peer, since] : slot->second.counted.since) {
      if (since <= acknowledged_[host]) {
        counted[peer] = slot->second.counted.epoch;
      }
    }
  }
  for (const auto& [host, key] : placed) {
    const auto slot = hosts_[host].find(key);
    const auto known =
        slot == hosts_[host].end() ? counted.end() : counted.find(slot->second.wanted->address);
    if (known == counted.end()) {
      observed_.counted.erase(key);
    } else {
      observed_.counted.insert_or_assign(key, core::Observed::Counted{known->first, known->second});
    }
  }
}

SharedMap AssignmentBook::intern(const SharedMap& users) {
  if (interned_.size() > kMaxInterned) {
    interned_.clear();  // users change; what is in use is interned again
  }
  return users.empty() ? users : interned_.try_emplace(users.get(), users).first->second;
}

void AssignmentBook::flush_later() {
  if (flushing_) {
    return;
  }
  flushing_ = true;
  boost::asio::post(executor_, [this] { flush(); });
}

void AssignmentBook::flush() {
  flushing_ = false;
  ++sent_;
  // Clients wait for those that change roles, so they are told before the others.
  for (const core::HostId& host : changing_roles_) {
    send(host);
    changed_.erase(host);
  }
  for (const core::HostId& host : changed_) {
    send(host);
  }
  changing_roles_.clear();
  changed_.clear();
}

void AssignmentBook::send(const core::HostId& host) {
  core::Assignment assignment;
  assignment.host = host;
  assignment.revision = state_.revision();
  assignment.ticket = {session_, sent_};
  const NodesOfHost& nodes = hosts_[host];
  assignment.nodes.reserve(nodes.size());
  for (const auto& [key, slot] : nodes) {
    assignment.nodes.push_back(slot.wanted);
  }
  link_.assign(std::move(assignment));
}

}  // namespace hikae::control
