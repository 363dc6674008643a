#include "core/state/state.h"

#include <type_traits>

#include "base/check.h"

namespace hikae::core {
namespace {

using Tables = WithResources<TablesOf>;

std::set<CacheClusterId> primaries_of(const ReplicationGroup* group) {
  std::set<CacheClusterId> out;
  if (group != nullptr) {
    for (const NodeGroup& node_group : group->node_groups) {
      out.insert(node_group.primary);
    }
  }
  return out;
}

bool leads(const Table<ReplicationGroup>& groups, const CacheCluster& cluster) {
  if (cluster.replication_group.empty()) {
    return true;
  }
  const auto group = groups.find(cluster.replication_group);
  return group != groups.end() && primaries_of(&group->second).contains(cluster.id);
}

struct Applier {
  Tables& tables;
  std::set<SnapshotName>& under_way;
  Occupancy& occupancy;

  template <class T>
  void operator()(const Put<T>& put) const {
    change(put.value.key(), &put.value);
  }
  template <class T>
  void operator()(const Remove<T>& remove) const {
    change<T>(remove.key, nullptr);
  }

  // `next`: nullptr to remove what is there.
  template <class T>
  void change(const typename T::Key& key, const T* next) const {
    const auto affected = clusters_of(key, next);
    for_each(affected,
             [this](const CacheCluster& one, bool leads) { occupancy.remove(one, leads); });
    auto& table = std::get<Table<T>>(tables);
    if (next != nullptr) {
      table.insert_or_assign(key, *next);
    } else {
      table.erase(key);
    }
    for_each(affected, [this](const CacheCluster& one, bool leads) { occupancy.add(one, leads); });
    if constexpr (std::is_same_v<T, Snapshot>) {
      note(key, next != nullptr && next->is_under_way());
    }
  }

  // Those whose part in the occupancy the change may alter.
  template <class T>
  std::set<CacheClusterId> clusters_of(const typename T::Key& key, const T* next) const {
    if constexpr (std::is_same_v<T, CacheCluster>) {
      return {key};
    } else if constexpr (std::is_same_v<T, ReplicationGroup>) {
      const auto& groups = std::get<Table<ReplicationGroup>>(tables);
      const auto known = groups.find(key);
      auto out = primaries_of(next);
      out.merge(primaries_of(known == groups.end() ? nullptr : &known->second));
      return out;
    } else {
      return {};
    }
  }

  template <class Act>
  void for_each(const std::set<CacheClusterId>& ids, Act act) const {
    const auto& clusters = std::get<Table<CacheCluster>>(tables);
    for (const CacheClusterId& id : ids) {
      if (const auto it = clusters.find(id); it != clusters.end()) {
        act(it->second, leads(std::get<Table<ReplicationGroup>>(tables), it->second));
      }
    }
  }

  void note(const SnapshotName& name, bool is_under_way) const {
    if (is_under_way) {
      under_way.insert(name);
    } else {
      under_way.erase(name);
    }
  }
};

}  // namespace

State::State() = default;
State::State(const State&) = default;
State::State(State&&) noexcept = default;
State& State::operator=(const State&) = default;
State& State::operator=(State&&) noexcept = default;
State::~State() = default;

const Region& State::region() const {
  const auto& table = all<Region>();
  HIKAE_CHECK(table.size() == 1);
  return table.begin()->second;
}

void State::apply(const Transition& transition, Revision next) {
  const Applier applier{tables_, under_way_, occupancy_};
  for (const Change& change : transition.changes) {
    std::visit(applier, change);
  }
  revision_ = next;
}

Occupancy count_occupancy(const State& state) {
  Occupancy out;
  for (const auto& [id, cluster] : state.all<CacheCluster>()) {
    out.add(cluster, leads(state.all<ReplicationGroup>(), cluster));
  }
  return out;
}

namespace {

struct Inverter {
  const State& before;
  Transition& out;
  template <class T>
  void restore(const typename T::Key& key) const {
    if (const T* old = before.find<T>(key)) {
      out.put(*old);
    } else {
      out.remove<T>(key);
    }
  }
  template <class T>
  void operator()(const Put<T>& put) const {
    restore<T>(put.value.key());
  }
  template <class T>
  void operator()(const Remove<T>& remove) const {
    restore<T>(remove.key);
  }
};

template <class T>
void add_difference(const State& before, const State& after, Transition& out) {
  for (const auto& [key, value] : before.all<T>()) {
    if (after.find<T>(key) == nullptr) {
      out.remove<T>(key);
    }
  }
  // Equal values are put again: harmless, and rarer than it is worth comparing every field for.
  for (const auto& [key, value] : after.all<T>()) {
    out.put(value);
  }
}

template <class... T>
struct Differ {
  static void run(const State& before, const State& after, Transition& out) {
    (add_difference<T>(before, after, out), ...);
  }
};

}  // namespace

Transition inverse(const State& before, const Transition& transition) {
  Transition out;
  for (const Change& change : transition.changes) {
    std::visit(Inverter{before, out}, change);
  }
  return out;
}

Transition difference(const State& before, const State& after) {
  Transition out;
  WithResources<Differ>::run(before, after, out);
  return out;
}

}  // namespace hikae::core
