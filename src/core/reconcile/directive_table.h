#pragma once

#include <compare>
#include <map>
#include <string>

#include "base/shared_map.h"
#include "core/catalog/directives.h"
#include "core/state/state.h"

namespace hikae::core {

// engine_directives() of clusters, remembered by all that they are made of: hundreds of nodes have
// the same, and what the nodes of a group should run is asked with every report of one of them.
class DirectiveTable {
 public:
  // Empty for a node type or a family that the catalogue does not have.
  SharedMap of(const State& state, const CacheCluster& cluster);

 private:
  struct Source {
    const ParameterFamily* family;
    const NodeType* node_type;
    std::string engine_version;
    ParameterValues overrides;
    auto operator<=>(const Source&) const = default;
  };

  std::map<Source, SharedMap> known_;
};

}  // namespace hikae::core
