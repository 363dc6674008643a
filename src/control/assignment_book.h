#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include <boost/asio/any_io_executor.hpp>

#include "control/ports.h"
#include "control/touched.h"
#include "core/reconcile/directive_table.h"
#include "core/reconcile/observed.h"

namespace hikae::control {

// The newest assignment of every host, kept up to date unit by unit. Several changes within one
// turn of the event loop leave as one message to each host.
class AssignmentBook {
 public:
  // `session` must differ from that of every earlier book.
  AssignmentBook(boost::asio::any_io_executor executor, const core::State& state,
                 core::Observed& observed, AgentLink& link, Instant session);

  // Projects the units again; every host whose nodes changed gets its whole assignment.
  void refresh(const std::set<Unit>& units);
  // Sends the host all it should run, be it nothing.
  void refresh_host(const core::HostId& host);
  // Sends every host all it should run.
  void refresh_all();
  // The host's agent acts by this message. Answers the nodes of which something became certain.
  std::set<core::NodeKey> acknowledge(const core::HostId& host,
                                      const core::AssignmentTicket& ticket);
  // What the host should run, as it was projected last.
  template <class Visit>
  void visit(const core::HostId& host, Visit visit) const {
    if (const auto known = hosts_.find(host); known != hosts_.end()) {
      for (const auto& [key, slot] : known->second) {
        visit(*slot.wanted);
      }
    }
  }
  // Tells `observed` what the agents may do with the unit's nodes by themselves.
  void mark(const Unit& unit);

 private:
  // Since which message every one has forbidden an agent something; nullopt: the newest permits it.
  struct Forbidden {
    std::optional<std::uint64_t> start_as_primary;
    std::optional<std::uint64_t> promotion;
    std::optional<std::uint64_t> rest;  // that is: a survey is asked for
    bool anew = false;                  // of that survey
  };
  // Since which message every one has told the agent of a primary with a keeper to count on the
  // replica at this address, in this epoch.
  struct Counted {
    core::Epoch epoch{0};
    std::map<Ipv4, std::uint64_t> since;
  };
  struct Slot {
    Shared<core::NodeAssignment> wanted;
    Forbidden forbidden;
    Counted counted;
    Unit owner;  // who placed it last: a cluster becomes a group's while it runs
  };
  using NodesOfHost = std::map<core::NodeKey, Slot>;

  using Placed = std::set<std::pair<core::HostId, core::NodeKey>>;

  void refresh_unit(const Unit& unit);
  // Answers the hosts to which nodes of the unit are on their way.
  Placed refresh_arrivals(const Unit& unit, const Placed& placed);
  Slot& put(const Unit& unit, const core::HostId& host, core::NodeAssignment wanted);
  // Unless it is another unit's by now.
  void take_away(const Unit& unit, const core::HostId& host, const core::NodeKey& key);
  void forget_marks(const core::NodeKey& key);
  void note(Slot& slot) const;
  void note_counted(Slot& slot) const;
  void mark_counted(const std::set<std::pair<core::HostId, core::NodeKey>>& placed);
  SharedMap intern(const SharedMap& users);
  void flush_later();
  void flush();
  void send(const core::HostId& host);

  boost::asio::any_io_executor executor_;
  const core::State& state_;
  core::Observed& observed_;
  AgentLink& link_;
  std::map<core::HostId, NodesOfHost> hosts_;
  std::map<Unit, Placed> placed_;
  std::map<Unit, Placed> arriving_;
  std::set<core::HostId> changed_;
  std::set<core::HostId> changing_roles_;  // of these: where a node becomes a primary or a replica
  Instant session_;
  std::uint64_t sent_ = 0;  // the number of the newest messages
  std::map<core::HostId, std::uint64_t> acknowledged_;
  core::DirectiveTable known_;
  // Groups with the same users share one map of them.
  std::map<SharedMap::Map, SharedMap> interned_;
  bool flushing_ = false;
};

}  // namespace hikae::control
