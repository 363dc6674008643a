#include "core/state/state.h"

#include <type_traits>

#include "base/check.h"

namespace hikae::core {
namespace {

template <class Tables>
struct Applier {
  Tables& tables;
  std::set<SnapshotName>& under_way;
  template <class T>
  void operator()(const Put<T>& put) const {
    std::get<Table<T>>(tables).insert_or_assign(put.value.key(), put.value);
    if constexpr (std::is_same_v<T, Snapshot>) {
      note(put.value.name, put.value.is_under_way());
    }
  }
  template <class T>
  void operator()(const Remove<T>& remove) const {
    std::get<Table<T>>(tables).erase(remove.key);
    if constexpr (std::is_same_v<T, Snapshot>) {
      note(remove.key, false);
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
  Applier<WithResources<TablesOf>> applier{tables_, under_way_};
  for (const Change& change : transition.changes) {
    std::visit(applier, change);
  }
  revision_ = next;
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
