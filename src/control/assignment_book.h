#pragma once

#include <map>
#include <set>

#include <boost/asio/any_io_executor.hpp>

#include "control/ports.h"
#include "control/touched.h"
#include "core/reconcile/observed.h"

namespace hikae::control {

// The newest assignment of every host, kept up to date unit by unit. Several changes within one
// turn of the event loop leave as one message to each host.
class AssignmentBook {
 public:
  AssignmentBook(boost::asio::any_io_executor executor, const core::State& state,
                 const core::Observed& observed, AgentLink& link);

  // Projects the units again; every host whose nodes changed gets its whole assignment.
  void refresh(const std::set<Unit>& units);
  // Sends every host all it should run.
  void refresh_all();

 private:
  using NodesOfHost = std::map<core::NodeKey, core::NodeAssignment>;

  void refresh_unit(const Unit& unit);
  SharedMap intern(const SharedMap& directives);
  void flush_later();
  void flush();

  boost::asio::any_io_executor executor_;
  const core::State& state_;
  const core::Observed& observed_;
  AgentLink& link_;
  std::map<core::HostId, NodesOfHost> hosts_;
  std::map<Unit, std::set<std::pair<core::HostId, core::NodeKey>>> placed_;
  std::set<core::HostId> changed_;
  // Nodes with the same parameters share one map of directives.
  std::map<SharedMap::Map, SharedMap> interned_;
  bool flushing_ = false;
};

}  // namespace hikae::control
