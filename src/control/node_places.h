#pragma once

#include <map>

#include "core/reconcile/observed.h"
#include "core/state/state.h"

namespace hikae::control {

// Which host tells of which node. A node that moves has two for a while; when it arrives, what was
// seen of its copy becomes what is seen of it, and nothing that the old host told counts any more.
class NodePlaces {
 public:
  enum class Place { kHere, kArriving, kElsewhere };

  // Whether the host may tell of the node: the node is there, or was until it went; it is on its
  // way there; or it is none of its business.
  static Place place_of(const core::State& state, const core::HostId& host,
                        const core::NodeKey& key);

  // The host has told of the node.
  void told(const core::HostId& host, const core::NodeKey& key, Place place);
  // Clusters were changed: brings the observations along. True: some node may have another place
  // now, or counts as one that no host has told of.
  bool follow(const core::Transition& transition, core::Observed& observed);

 private:
  bool follow(const core::CacheCluster& cluster, core::Observed& observed);

  std::map<core::NodeKey, core::HostId> here_;
  std::map<core::NodeKey, core::HostId> arriving_;
};

}  // namespace hikae::control
