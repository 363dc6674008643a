#pragma once

#include <map>
#include <set>
#include <tuple>
#include <variant>
#include <vector>

#include "core/resource/cache_cluster.h"
#include "core/resource/cache_groups.h"
#include "core/resource/host.h"
#include "core/resource/ids.h"
#include "core/resource/region.h"
#include "core/resource/replication_group.h"
#include "core/resource/service_update.h"
#include "core/resource/snapshot.h"
#include "core/resource/user.h"
#include "core/resource/vpc.h"
#include "core/state/occupancy.h"

namespace hikae::core {

template <class T>
using Table = std::map<typename T::Key, T>;

template <class T>
struct Put {
  T value;
};

template <class T>
struct Remove {
  typename T::Key key;
};

// Every kind of resource, once. State, Change and the store are derived from this list.
template <template <class...> class F>
using WithResources = F<Region, Host, Vpc, Subnet, SecurityGroup, RouteTable, InternetGateway,
                        NetworkAcl, SubnetGroup, ParameterGroup, ReplicationGroup, CacheCluster,
                        Snapshot, Event, JoinToken, User, UserGroup, ServiceUpdate, UpdateAction>;

template <class... T>
using TablesOf = std::tuple<Table<T>...>;
template <class... T>
using ChangeOf = std::variant<Put<T>..., Remove<T>...>;

using Change = WithResources<ChangeOf>;

// One atomic change of the state. A later change of the same key wins.
struct Transition {
  std::vector<Change> changes;

  // Not in the header: a vector of so many kinds costs every file that touches one a second.
  Transition();
  Transition(const Transition&);
  Transition(Transition&&) noexcept;
  Transition& operator=(const Transition&);
  Transition& operator=(Transition&&) noexcept;
  ~Transition();

  bool empty() const { return changes.empty(); }
  // Of every kind of resource.
  template <class T>
  void put(T value);
  template <class T>
  void remove(typename T::Key key);
  // The changes of `more`, after those that are there.
  void append(Transition more);
};

// All resources at one revision. Everything that answers, decides or projects reads this one value.
class State {
 public:
  State();
  State(const State&);
  State(State&&) noexcept;
  State& operator=(const State&);
  State& operator=(State&&) noexcept;
  ~State();

  Revision revision() const { return revision_; }
  void set_revision(Revision revision) { revision_ = revision; }

  template <class T>
  const Table<T>& all() const {
    return std::get<Table<T>>(tables_);
  }
  // nullptr when there is none. Valid until the next apply.
  template <class T>
  const T* find(const typename T::Key& key) const {
    const auto& table = all<T>();
    const auto it = table.find(key);
    return it == table.end() ? nullptr : &it->second;
  }
  // The region record. Exists in every state that was initialised (admission/region.h).
  const Region& region() const;

  // The few of thousands that are being taken: every assignment of a node asks for them.
  const std::set<SnapshotName>& snapshots_under_way() const { return under_way_; }

  // What the nodes take of the hosts, by the clusters and groups of this revision.
  const Occupancy& occupancy() const { return occupancy_; }

  // Performs the changes in order and moves to `next`. Does not check anything: see invariants.h.
  void apply(const Transition& transition, Revision next);

 private:
  Revision revision_;
  WithResources<TablesOf> tables_;
  // These follow from the tables.
  std::set<SnapshotName> under_way_;
  Occupancy occupancy_;
};

// The state's occupancy(), counted anew from its tables.
Occupancy count_occupancy(const State& state);

// What find() will answer once `transition` is applied. For decisions that build on their own
// changes.
template <class T>
const T* find_after(const State& state, const Transition& transition, const typename T::Key& key) {
  for (auto it = transition.changes.rbegin(); it != transition.changes.rend(); ++it) {
    if (const auto* put = std::get_if<Put<T>>(&*it); put != nullptr && put->value.key() == key) {
      return &put->value;
    }
    if (const auto* gone = std::get_if<Remove<T>>(&*it); gone != nullptr && gone->key == key) {
      return nullptr;
    }
  }
  return state.find<T>(key);
}

// The changes that take `transition` back when applied after it.
Transition inverse(const State& before, const Transition& transition);

// The changes that lead from `before` to `after`.
Transition difference(const State& before, const State& after);

}  // namespace hikae::core
