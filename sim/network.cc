#include "sim/network.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace hikae::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// `rg1-001 primary epoch 2 hold`.
std::string describe(const core::NodeAssignment& node) {
  const bool primary = node.role == core::Role::kPrimary;
  std::string out = fmt::format("{} {} epoch {}", node.node.cluster.str(),
                                primary ? "primary" : "replica", node.epoch.value());
  const auto add = [&out](bool set, std::string_view word) {
    if (set) {
      out += ' ';
      out += word;
    }
  };
  add(!primary && node.attach, "attach");
  add(primary && !node.may_promote, "may-not-promote");
  add(node.hold, "hold");
  add(node.replaceable, "replaceable");
  add(node.kill, "kill");
  add(node.pause_writes, "pause");
  add(node.survey, "survey");
  return out;
}

std::string describe(const core::NodeObservation& node) {
  using Process = core::NodeObservation::Process;
  const bool primary = node.role == core::Role::kPrimary;
  std::string out = node.node.cluster.str();
  const auto add = [&out](bool set, std::string_view word) {
    if (set) {
      out += ' ';
      out += word;
    }
  };
  add(node.process == Process::kDying, "dying");
  add(node.process == Process::kStopped, "stopped");
  add(node.process == Process::kAbsent, "absent");
  add(!node.dead(), primary ? "primary" : "replica");
  add(!node.dead() && !node.ready, "not-ready");
  add(node.link_up, "linked");
  add(node.synced, "synced");
  add(node.hung, "hung");
  add(node.writes_paused, "paused");
  add(node.offset_settled, "settled");
  return out + fmt::format(" at {}", node.replication_offset);
}

// One trace line for a whole message.
template <class Message>
std::string describe_all(const Message& message) {
  std::string out;
  for (const auto& node : message.nodes) {
    out += out.empty() ? "" : "; ";
    out += describe(*node);
  }
  return out;
}

}  // namespace

void Network::connect_agent(const core::HostId& id, Realm realm, AssignmentReceiver receiver,
                            GrantReceiver grants) {
  Host& host = hosts_[id];
  host.realm = realm;
  host.receiver = std::move(receiver);
  host.grants = std::move(grants);
  host.assignment_on_its_way = false;
  send_assignment(id);
}

void Network::disconnect_agent(const core::HostId& id) {
  hosts_[id].receiver = nullptr;
  hosts_[id].grants = nullptr;
}

void Network::connect_controller(Realm realm, ReportReceiver receiver, Granter granter) {
  granter_ = std::move(granter);
  controller_realm_ = realm;
  controller_ = std::move(receiver);
  for (auto& [id, host] : hosts_) {
    host.report_on_its_way = false;
    send_report(id);
  }
}

void Network::disconnect_controller() {
  controller_ = nullptr;
  granter_ = nullptr;
}

void Network::ask_lease(const core::HostId& id, Monotonic asked) {
  if (!passes(id, Way::kOut) || !granter_) {
    return;
  }
  const Duration after = env_.draw(microseconds(5), env_.options.link_latency);
  env_.timeline.call(after, [this, id, asked] { deliver_question(id, asked); }, controller_realm_);
}

void Network::deliver_question(const core::HostId& id, Monotonic asked) {
  if (!passes(id, Way::kOut) || !granter_) {
    return;
  }
  auto grant = granter_(id);
  if (!grant) {
    return;
  }
  grant->asked = asked;
  if (distort_grant) {
    distort_grant(*grant);
  }
  const Duration after = env_.draw(microseconds(5), env_.options.link_latency);
  const auto arrives = [this, id, grant = std::move(*grant)] {
    const Host& host = hosts_[id];
    if (host.grants && passes(id, Way::kIn)) {
      host.grants(grant);
    }
  };
  env_.timeline.call(after, arrives, hosts_[id].realm);
}

void Network::partition(const core::HostId& id, Way way, Monotonic until) {
  Host& host = hosts_[id];
  if (way != Way::kOut) {
    host.hears_at = std::max(host.hears_at, until);
  }
  if (way != Way::kIn) {
    host.heard_at = std::max(host.heard_at, until);
  }
}

bool Network::passes(const core::HostId& id, Way way) const {
  const auto it = hosts_.find(id);
  const Monotonic now = env_.timeline.now();
  return it == hosts_.end() || (way == Way::kIn ? it->second.hears_at : it->second.heard_at) <= now;
}

void Network::assign(core::Assignment assignment) {
  const core::HostId id = assignment.host;
  if (distort_assignment) {
    distort_assignment(assignment);
  }
  hosts_[id].assignment = std::move(assignment);
  send_assignment(id);
}

void Network::report(core::HostReport report) {
  const core::HostId id = report.host;
  if (distort_report) {
    distort_report(report);
  }
  hosts_[id].report = std::move(report);
  send_report(id);
}

// A lost message is lost with its connection: nothing passes until the next one stands, over which
// the newest value is sent again.
Duration Network::delay(Host& host, Way way) {
  const Duration usual = env_.draw(microseconds(5), env_.options.link_latency);
  if (faulty_ && env_.random.below(1000) < env_.options.link_fault_permille) {
    const Duration down = env_.draw(milliseconds(50), seconds(3));
    host.hears_at = std::max(host.hears_at, env_.timeline.now() + down);
    host.heard_at = std::max(host.heard_at, env_.timeline.now() + down);
  }
  const Monotonic open = way == Way::kIn ? host.hears_at : host.heard_at;
  return usual + std::max(Duration(), open - env_.timeline.now());
}

void Network::send_assignment(const core::HostId& id) {
  Host& host = hosts_[id];
  if (!host.receiver || !host.assignment || std::exchange(host.assignment_on_its_way, true)) {
    return;
  }
  const Duration after = delay(host, Way::kIn);
  env_.timeline.call(after, [this, id] { deliver_assignment(id); }, host.realm);
}

void Network::deliver_assignment(const core::HostId& id) {
  Host& host = hosts_[id];
  host.assignment_on_its_way = false;
  if (!host.receiver) {
    return;
  }
  if (!passes(id, Way::kIn)) {
    send_assignment(id);
    return;
  }
  env_.trace.line("to " + id.str().substr(id.str().size() - 1), "assignment {}: {}",
                  host.assignment->revision.value(), describe_all(*host.assignment));
  if (on_delivery) {
    on_delivery(*host.assignment);
  }
  host.receiver(*host.assignment);
  if (faulty_ && env_.random.below(1000) < env_.options.link_fault_permille) {
    send_assignment(id);  // the same again
  }
}

void Network::send_report(const core::HostId& id) {
  Host& host = hosts_[id];
  if (!controller_ || !host.report || std::exchange(host.report_on_its_way, true)) {
    return;
  }
  const Duration after = delay(host, Way::kOut);
  env_.timeline.call(after, [this, id] { deliver_report(id); }, controller_realm_);
}

void Network::deliver_report(const core::HostId& id) {
  Host& host = hosts_[id];
  host.report_on_its_way = false;
  if (!controller_) {
    return;
  }
  if (!passes(id, Way::kOut)) {
    send_report(id);
    return;
  }
  env_.trace.line("from " + id.str().substr(id.str().size() - 1), "report {}: {}",
                  host.report->assignment_revision.value(), describe_all(*host.report));
  if (on_report) {
    on_report(*host.report);
  }
  controller_(*host.report);
  if (faulty_ && env_.random.below(1000) < env_.options.link_fault_permille) {
    send_report(id);
  }
}

}  // namespace hikae::sim
