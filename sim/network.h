#pragma once

#include <functional>
#include <map>
#include <optional>

#include "control/ports.h"
#include "sim/env.h"

namespace hikae::sim {

// The connections between the controller and the agents. Each direction of each host carries whole
// values of which the newest is enough: late, lost with the connection and sent again after it is
// back, delivered twice, never out of order. Values on their way outlive both ends.
class Network final : public control::AgentLink, public control::ReportLink {
 public:
  using AssignmentReceiver = std::function<void(core::Assignment)>;
  using GrantReceiver = std::function<void(const control::LeaseGrant&)>;
  // A leader's answer to a host that asks for a lease.
  using Granter = std::function<std::optional<control::LeaseGrant>(const core::HostId&)>;
  using ReportReceiver = std::function<void(core::HostReport)>;

  explicit Network(Env env) : env_(env) {}
  void stop_faults() { faulty_ = false; }

  // A new agent is sent the newest assignment again, a new controller the newest reports.
  void connect_agent(const core::HostId& host, Realm realm, AssignmentReceiver receiver,
                     GrantReceiver grants);
  void disconnect_agent(const core::HostId& host);
  void connect_controller(Realm realm, ReportReceiver receiver, Granter granter);
  void disconnect_controller();

  // No message passes that way until then.
  void partition(const core::HostId& host, Way way, Monotonic until);

  // Deliberate bugs of a mutated run, applied to what passes.
  std::function<void(core::Assignment&)> distort_assignment;
  std::function<void(core::HostReport&)> distort_report;
  std::function<void(control::LeaseGrant&)> distort_grant;

  // Told of every assignment that reaches its agent.
  std::function<void(const core::Assignment&)> on_delivery;
  // And of every report that reaches a controller.
  std::function<void(const core::HostReport&)> on_report;

  void assign(core::Assignment assignment) override;
  void report(core::HostReport report) override;
  // Questions and answers that do not get through are lost.
  void ask_lease(const core::HostId& host, Monotonic asked);

 private:
  struct Host {
    Realm realm = kWorld;
    AssignmentReceiver receiver;
    GrantReceiver grants;
    std::optional<core::Assignment> assignment;  // the newest, delivered or not
    std::optional<core::HostReport> report;
    bool assignment_on_its_way = false;
    bool report_on_its_way = false;
    // Before that nothing reaches it, or nothing of it arrives. A connection is up when both pass.
    Monotonic hears_at;
    Monotonic heard_at;
  };

  Duration delay(Host& host, Way way);
  bool passes(const core::HostId& host, Way way) const;
  void send_assignment(const core::HostId& id);
  void send_report(const core::HostId& id);
  void deliver_assignment(const core::HostId& id);
  void deliver_report(const core::HostId& id);
  void deliver_question(const core::HostId& id, Monotonic asked);

  Env env_;
  bool faulty_ = true;
  std::map<core::HostId, Host> hosts_;
  Realm controller_realm_ = kWorld;
  ReportReceiver controller_;
  Granter granter_;
};

}  // namespace hikae::sim
