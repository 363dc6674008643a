#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "control/agent.h"
#include "control/agent_fakes.h"
#include "control/lease_fakes.h"

// One agent on the host and with the clock of agent_fakes.h.

namespace hikae::control {

using core::NodeObservation;
using std::chrono::milliseconds;
using std::chrono::seconds;

class Reports final : public ReportLink {
 public:
  void report(core::HostReport report) override { all.push_back(std::move(report)); }
  const NodeObservation* newest(const NodeKey& node) const {
    if (!all.empty()) {
      for (const NodeObservation& seen : all.back().nodes) {
        if (seen.node == node) {
          return &seen;
        }
      }
    }
    return nullptr;
  }
  std::vector<core::HostReport> all;
};

inline const NodeKey kPrimary{core::CacheClusterId("foo-001"), core::NodeId("0001")};
inline const NodeKey kReplica{core::CacheClusterId("foo-002"), core::NodeId("0001")};

inline NodeAssignment primary() {
  NodeAssignment a;
  a.node = kPrimary;
  a.engine = "valkey";
  a.primary_name = "foo.internal";
  a.primary_address = *Ipv4::parse("127.64.0.4");
  a.address = a.primary_address;
  a.directives = {{"maxmemory", "100"}};
  return a;
}

inline NodeAssignment replica(bool attach) {
  NodeAssignment a = primary();
  a.node = kReplica;
  a.address = *Ipv4::parse("127.64.0.5");
  a.role = core::Role::kReplica;
  a.attach = attach;
  return a;
}

// What an engine says right after a full synchronisation.
inline EngineStatus with_copy_only(std::uint64_t offset) {
  EngineStatus status;
  status.role = core::Role::kReplica;
  status.following = "foo.internal";
  status.link_up = status.has_copy = status.stream_pending = true;
  status.replication_offset = offset;
  return status;
}

class AgentTest : public ::testing::Test {
 protected:
  void TearDown() override { stop(); }

  void launch() {
    AgentPorts ports{host_, host_, clock_, log_, gate_, {}, addresses_};
    ports.leases = fences_;
    ports.port_holder = [this](Ipv4, std::uint16_t) { return port_holder_; };
    agent_ =
        std::make_unique<Agent>(io_.get_executor(), core::HostId("h"), std::move(ports), reports_);
    agent_->start();
    settle();
  }
  void stop() {
    if (!agent_) {
      return;
    }
    bool stopped = false;
    boost::asio::co_spawn(io_, agent_->stop(), [&](std::exception_ptr) { stopped = true; });
    EXPECT_TRUE(run_until([&] { return stopped; }));
    agent_.reset();
  }
  void assign(const std::vector<NodeAssignment>& nodes) {
    core::Assignment assignment;
    assignment.host = core::HostId("h");
    assignment.revision = core::Revision(++revision_);
    assignment.nodes.assign(nodes.begin(), nodes.end());
    agent_->assign(std::move(assignment));
  }
  // Everything that can happen without time passing.
  void settle() {
    io_.restart();
    while (io_.poll() > 0) {
    }
  }
  bool run_until(const std::function<bool()>& done, Duration longest = seconds(60)) {
    const Monotonic end = clock_.monotonic() + longest;
    settle();
    while (!done()) {
      if (clock_.monotonic() >= end || !clock_.advance_to_next()) {
        return false;
      }
      settle();
    }
    return true;
  }
  bool run_until_ready(const NodeKey& node) {
    return run_until([&] {
      const auto* seen = reports_.newest(node);
      return seen && seen->ready && (seen->role == core::Role::kPrimary || seen->link_up);
    });
  }
  void pass(Duration time) {
    const Monotonic end = clock_.monotonic() + time;
    run_until([&] { return clock_.monotonic() >= end; });
  }

  boost::asio::io_context io_{1};
  FakeClock clock_;
  NoLog log_;
  StartGate gate_{2};
  FakeHost host_;
  Reports reports_;
  FakeAddresses pool_;
  std::string port_holder_;          // of every port
  Addressing* addresses_ = nullptr;  // &pool_ where a test is about them
  FakeLeases leases_;
  FenceLeases* fences_ = nullptr;  // &leases_, likewise
  std::unique_ptr<Agent> agent_;
  std::uint64_t revision_ = 0;
};

}  // namespace hikae::control
