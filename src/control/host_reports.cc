#include "control/host_reports.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace hikae::control {
namespace {

using Place = NodePlaces::Place;
using Nodes = std::vector<Shared<core::NodeObservation>>;

bool only_its_offset_moved(core::NodeObservation& known, const core::NodeObservation& now) {
  known.take_offset_of(now);
  return known == now;
}

bool are_of_same_nodes(const Nodes& before, const Nodes& now) {
  return std::ranges::equal(
      before, now, [](const auto& a, const auto& b) { return a.is_same(b) || a->node == b->node; });
}

}  // namespace

std::set<core::NodeKey> HostReports::take(const core::State& state,
                                          const core::HostReport& report) {
  std::set<core::NodeKey> changed;
  Heard& heard = heard_[report.host];
  if (!heard.places_hold || !are_of_same_nodes(heard.nodes, report.nodes)) {
    take_all(state, report, heard, changed);
    return changed;
  }
  for (std::size_t i = 0; i < report.nodes.size(); ++i) {
    if (!heard.nodes[i].is_same(report.nodes[i])) {
      take_one(state, report.host, *report.nodes[i], changed);
      heard.nodes[i] = report.nodes[i];
    }
  }
  return changed;
}

void HostReports::take_all(const core::State& state, const core::HostReport& report, Heard& heard,
                           std::set<core::NodeKey>& changed) {
  std::set<core::NodeKey> present;
  for (const auto& node : report.nodes) {
    if (take_one(state, report.host, *node, changed)) {
      present.insert(present.end(), node->node);
    }
  }
  for (const core::NodeKey& key : heard.present) {
    if (!present.contains(key)) {
      take_absence(state, report.host, key, changed);
    }
  }
  heard = Heard{report.nodes, std::move(present), true};
}

bool HostReports::take_one(const core::State& state, const core::HostId& host,
                           const core::NodeObservation& node, std::set<core::NodeKey>& changed) {
  const Place place = NodePlaces::place_of(state, host, node.node);
  if (place == Place::kElsewhere) {
    return false;
  }
  auto& table = place == Place::kArriving ? observed_.arrivals : observed_.nodes;
  const auto before = table.find(node.node);
  if (before != table.end() && only_its_offset_moved(before->second, node)) {
    return true;
  }
  changed.insert(node.node);
  places_.told(host, node.node, place);
  if (place == Place::kArriving) {
    observed_.arrivals.insert_or_assign(node.node, node);
  } else {
    enter(node);
  }
  return true;
}

void HostReports::enter(const core::NodeObservation& node) {
  // One that was started since and has died again was alive in between, though nobody told.
  const auto* before = observed_.find(node.node);
  if (!node.dead() || (before != nullptr && before->starts != node.starts)) {
    observed_.dead_since.erase(node.node);
  }
  if (node.dead()) {
    observed_.dead_since.try_emplace(node.node, observed_.now);
  }
  observed_.nodes.insert_or_assign(node.node, node);
}

void HostReports::take_absence(const core::State& state, const core::HostId& host,
                               const core::NodeKey& key, std::set<core::NodeKey>& changed) {
  const Place place = NodePlaces::place_of(state, host, key);
  if (place == Place::kElsewhere) {
    return;
  }
  changed.insert(key);
  if (place == Place::kArriving) {
    observed_.arrivals.erase(key);
    return;
  }
  observed_.nodes.erase(key);
  observed_.dead_since.erase(key);
}

void HostReports::follow(const core::Transition& transition) {
  for (const core::Change& change : transition.changes) {
    if (const auto* removed = std::get_if<core::Remove<core::Host>>(&change)) {
      forget(removed->key);
    }
  }
  if (places_.follow(transition, observed_)) {
    for (auto& [host, heard] : heard_) {
      heard.places_hold = false;
    }
  }
}

void HostReports::forget(const core::HostId& host) {
  const auto heard = heard_.find(host);
  if (heard == heard_.end()) {
    return;
  }
  for (const core::NodeKey& key : heard->second.present) {
    observed_.nodes.erase(key);
    observed_.dead_since.erase(key);
  }
  heard_.erase(heard);
  observed_.assignment_revision.erase(host);
}

}  // namespace hikae::control
