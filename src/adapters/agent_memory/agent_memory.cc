#include "adapters/agent_memory/agent_memory.h"

#include <utility>

#include <boost/asio/post.hpp>

namespace hikae::adapters {

void AgentMemory::connect_agent(core::HostId host, boost::asio::any_io_executor executor,
                                AssignmentReceiver receiver) {
  const std::lock_guard lock(mutex_);
  Agent& agent = agents_[host];
  agent.executor = std::move(executor);
  agent.receiver = std::move(receiver);
  agent.posted = false;
  post_assignment(host, agent);
}

void AgentMemory::disconnect_agent(const core::HostId& host) {
  const std::lock_guard lock(mutex_);
  const auto it = agents_.find(host);
  if (it != agents_.end()) {
    it->second.executor.reset();
    it->second.receiver = nullptr;
  }
}

void AgentMemory::connect_control(boost::asio::any_io_executor executor, ReportReceiver receiver) {
  const std::lock_guard lock(mutex_);
  control_executor_ = std::move(executor);
  control_receiver_ = std::move(receiver);
  reports_posted_ = false;
  post_reports();
}

void AgentMemory::disconnect_control() {
  const std::lock_guard lock(mutex_);
  control_executor_.reset();
  control_receiver_ = nullptr;
}

void AgentMemory::assign(core::Assignment assignment) {
  const std::lock_guard lock(mutex_);
  const core::HostId host = assignment.host;
  Agent& agent = agents_[host];
  agent.waiting = std::move(assignment);
  post_assignment(host, agent);
}

void AgentMemory::report(core::HostReport report) {
  const std::lock_guard lock(mutex_);
  const core::HostId host = report.host;
  waiting_reports_.insert_or_assign(host, std::move(report));
  post_reports();
}

void AgentMemory::post_assignment(const core::HostId& host, Agent& agent) {
  if (agent.waiting && agent.executor && !std::exchange(agent.posted, true)) {
    boost::asio::post(*agent.executor, [this, host] { deliver_assignment(host); });
  }
}

void AgentMemory::deliver_assignment(const core::HostId& host) {
  AssignmentReceiver receiver;
  std::optional<core::Assignment> assignment;
  {
    const std::lock_guard lock(mutex_);
    Agent& agent = agents_[host];
    agent.posted = false;
    if (!agent.receiver) {
      return;
    }
    receiver = agent.receiver;
    assignment = std::exchange(agent.waiting, std::nullopt);
  }
  if (assignment) {
    receiver(std::move(*assignment));
  }
}

void AgentMemory::post_reports() {
  if (!waiting_reports_.empty() && control_executor_ && !std::exchange(reports_posted_, true)) {
    boost::asio::post(*control_executor_, [this] { deliver_reports(); });
  }
}

void AgentMemory::deliver_reports() {
  ReportReceiver receiver;
  std::map<core::HostId, core::HostReport> reports;
  {
    const std::lock_guard lock(mutex_);
    reports_posted_ = false;
    if (!control_receiver_) {
      return;
    }
    receiver = control_receiver_;
    reports = std::exchange(waiting_reports_, {});
  }
  for (auto& [host, report] : reports) {
    receiver(std::move(report));
  }
}

}  // namespace hikae::adapters
