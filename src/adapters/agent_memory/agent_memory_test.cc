#include "adapters/agent_memory/agent_memory.h"

#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace hikae::adapters {
namespace {

const core::HostId kHost("host-a");

core::Assignment assignment(std::uint64_t revision) {
  core::Assignment out;
  out.host = kHost;
  out.revision = core::Revision(revision);
  return out;
}

core::HostReport report(const char* host, std::uint64_t revision) {
  core::HostReport out;
  out.host = core::HostId(host);
  out.assignment_revision = core::Revision(revision);
  return out;
}

TEST(AgentMemory, OnlyTheNewestAssignmentIsDelivered) {
  AgentMemory memory;
  boost::asio::io_context agent;
  std::vector<std::uint64_t> got;
  memory.assign(assignment(1));  // before the agent is there
  memory.connect_agent(kHost, agent.get_executor(),
                       [&](core::Assignment a) { got.push_back(a.revision.value()); });
  memory.assign(assignment(2));
  memory.assign(assignment(3));
  agent.run();
  EXPECT_EQ(got, std::vector<std::uint64_t>{3});
  agent.restart();
  memory.assign(assignment(4));
  agent.run();
  EXPECT_EQ(got, (std::vector<std::uint64_t>{3, 4}));
}

TEST(AgentMemory, EveryHostsNewestReportIsDelivered) {
  AgentMemory memory;
  boost::asio::io_context control;
  std::vector<std::string> got;
  memory.connect_control(control.get_executor(), [&](core::HostReport r) {
    got.push_back(r.host.str() + std::to_string(r.assignment_revision.value()));
  });
  memory.report(report("a", 1));
  memory.report(report("b", 1));
  memory.report(report("a", 2));
  control.run();
  EXPECT_EQ(got, (std::vector<std::string>{"a2", "b1"}));
}

TEST(AgentMemory, DisconnectedReceiverIsLeftAloneAndNothingIsLost) {
  AgentMemory memory;
  boost::asio::io_context agent;
  int calls = 0;
  memory.connect_agent(kHost, agent.get_executor(), [&](core::Assignment) { ++calls; });
  memory.assign(assignment(1));
  memory.disconnect_agent(kHost);
  agent.run();
  EXPECT_EQ(calls, 0);
  memory.connect_agent(kHost, agent.get_executor(), [&](core::Assignment) { ++calls; });
  agent.restart();
  agent.run();
  EXPECT_EQ(calls, 1);
}

TEST(AgentMemory, CrossesThreads) {
  AgentMemory memory;
  boost::asio::io_context agent;
  boost::asio::io_context control;
  auto work = boost::asio::make_work_guard(agent);
  constexpr std::uint64_t kLast = 1000;
  memory.connect_agent(kHost, agent.get_executor(), [&](core::Assignment a) {
    memory.report(report("host-a", a.revision.value()));
    if (a.revision.value() == kLast) {
      work.reset();
    }
  });
  auto control_work = boost::asio::make_work_guard(control);
  std::uint64_t newest = 0;
  memory.connect_control(control.get_executor(), [&](core::HostReport r) {
    EXPECT_GT(r.assignment_revision.value(), newest);
    newest = r.assignment_revision.value();
    if (newest == kLast) {
      control_work.reset();
    }
  });
  std::thread agent_thread([&] { agent.run(); });
  for (std::uint64_t i = 1; i <= kLast; ++i) {
    memory.assign(assignment(i));
  }
  control.run();
  agent_thread.join();
  EXPECT_EQ(newest, kLast);
}

}  // namespace
}  // namespace hikae::adapters
