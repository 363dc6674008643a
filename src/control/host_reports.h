#pragma once

#include <map>
#include <set>
#include <vector>

#include "control/node_places.h"
#include "core/reconcile/observed.h"
#include "core/state/state.h"

namespace hikae::control {

// Brings what agents tell into what is observed. A report tells of hundreds of nodes, and the next
// one of the same but for one or two: only these cost time.
//
// One thread. `observed` must outlive it.
class HostReports {
 public:
  explicit HostReports(core::Observed& observed) : observed_(observed) {}

  // The nodes whose observation changed in a way that a decision may depend on.
  std::set<core::NodeKey> take(const core::State& state, const core::HostReport& report);
  // Of a host that left nothing counts any more, and nodes may have moved.
  void follow(const core::Transition& transition);

 private:
  struct Heard {
    std::vector<Shared<core::NodeObservation>> nodes;  // of the last report
    std::set<core::NodeKey> present;                   // those of them that counted
    bool places_hold = false;                          // since then no node has got another place
  };

  void take_all(const core::State& state, const core::HostReport& report, Heard& heard,
                std::set<core::NodeKey>& changed);
  // False: the node is none of the host's business.
  bool take_one(const core::State& state, const core::HostId& host,
                const core::NodeObservation& node, std::set<core::NodeKey>& changed);
  void take_absence(const core::State& state, const core::HostId& host, const core::NodeKey& key,
                    std::set<core::NodeKey>& changed);
  void enter(const core::NodeObservation& node);
  void forget(const core::HostId& host);

  core::Observed& observed_;
  NodePlaces places_;
  std::map<core::HostId, Heard> heard_;
};

}  // namespace hikae::control
