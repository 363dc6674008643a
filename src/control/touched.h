#pragma once

#include <set>
#include <string>

#include "core/state/state.h"

namespace hikae::control {

// What reconciles and has names of its own: a replication group with its members, or a standalone
// cluster.
struct Unit {
  enum class Kind { kGroup, kStandalone };
  Kind kind = Kind::kGroup;
  std::string id;
  std::string str() const;
  friend auto operator<=>(const Unit&, const Unit&) = default;
  friend bool operator==(const Unit&, const Unit&) = default;
};

// The unit a cluster belongs to.
Unit unit_of(const core::CacheCluster& cluster);

// Every unit in the state.
std::set<Unit> all_units(const core::State& state);

// The units that a transition may concern, seen after it. Includes those that are gone, and all
// that use a changed parameter group or have changed users.
std::set<Unit> touched_units(const core::State& after, const core::Transition& transition);

// The clusters of a unit: its members, or the standalone cluster itself.
std::vector<const core::CacheCluster*> clusters_of(const core::State& state, const Unit& unit);

}  // namespace hikae::control
