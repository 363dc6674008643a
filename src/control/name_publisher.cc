#include "control/name_publisher.h"

#include <algorithm>

#include "core/naming/records.h"

namespace hikae::control {
namespace {

using core::NameRecord;

std::vector<NameRecord> records_of(const core::State& state, const Unit& unit) {
  if (unit.kind == Unit::Kind::kGroup) {
    return core::group_records(state, core::ReplicationGroupId(unit.id));
  }
  return core::cluster_records(state, core::CacheClusterId(unit.id));
}

}  // namespace

void NamePublisher::publish_all(const core::State& state) {
  publish(state, all_units(state));
}

void NamePublisher::on_transition(const core::State& after, const core::Transition& transition) {
  publish(after, touched_units(after, transition));
}

void NamePublisher::publish(const core::State& state, const std::set<Unit>& units) {
  std::vector<NameRecord> upserts;
  std::map<std::string, bool> kept;  // old names, true when some unit still has them
  for (const Unit& unit : units) {
    auto records = records_of(state, unit);
    auto& old = published_[unit];
    for (const NameRecord& record : old) {
      kept.emplace(record.name, false);
    }
    for (const NameRecord& record : records) {
      if (std::find(old.begin(), old.end(), record) == old.end()) {
        upserts.push_back(record);
      }
    }
    old = std::move(records);
  }
  for (const Unit& unit : units) {
    for (const NameRecord& record : published_[unit]) {
      kept[record.name] = true;
    }
    if (published_[unit].empty()) {
      published_.erase(unit);
    }
  }
  std::vector<std::string> removed;
  for (const auto& [name, still] : kept) {
    if (!still) {
      removed.push_back(name);
    }
  }
  if (!upserts.empty() || !removed.empty()) {
    sink_.publish(std::move(upserts), std::move(removed));
  }
}

std::vector<std::pair<std::string, Ipv4>> NamePublisher::resolved() const {
  std::map<std::string, Ipv4> addresses;
  for (const auto& [unit, records] : published_) {
    for (const NameRecord& record : records) {
      if (record.kind == NameRecord::Kind::kAddress && !record.addresses.empty()) {
        addresses.emplace(record.name, record.addresses.front());
      }
    }
  }
  std::vector<std::pair<std::string, Ipv4>> out(addresses.begin(), addresses.end());
  for (const auto& [unit, records] : published_) {
    for (const NameRecord& record : records) {
      const auto target =
          record.targets.empty() ? addresses.end() : addresses.find(record.targets.front());
      if (target != addresses.end()) {
        out.emplace_back(record.name, target->second);
      }
    }
  }
  return out;
}

}  // namespace hikae::control
