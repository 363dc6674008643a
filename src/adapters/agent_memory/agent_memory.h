#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include <boost/asio/any_io_executor.hpp>

#include "control/ports.h"

namespace hikae::adapters {

// Carries assignments and reports between the control plane and agents of the same program, which
// may run on other threads. Of each host the newest value wins: one that was not delivered yet is
// replaced. Every method may be called from any thread; receivers are called on the executor they
// gave.
class AgentMemory final : public control::AgentLink, public control::ReportLink {
 public:
  using AssignmentReceiver = std::function<void(core::Assignment)>;
  using ReportReceiver = std::function<void(core::HostReport)>;

  // Replaces the receiver of the host's assignments. What waits for the host is delivered.
  void connect_agent(core::HostId host, boost::asio::any_io_executor executor,
                     AssignmentReceiver receiver);
  // After its return the receiver is not called by anything that begins later; call it on the
  // receiver's executor, or once that no longer runs.
  void disconnect_agent(const core::HostId& host);

  void connect_control(boost::asio::any_io_executor executor, ReportReceiver receiver);
  void disconnect_control();

  void assign(core::Assignment assignment) override;
  void report(core::HostReport report) override;

 private:
  struct Agent {
    std::optional<boost::asio::any_io_executor> executor;
    AssignmentReceiver receiver;
    std::optional<core::Assignment> waiting;
    bool posted = false;
  };

  void post_assignment(const core::HostId& host, Agent& agent);
  void deliver_assignment(const core::HostId& host);
  void post_reports();
  void deliver_reports();

  std::mutex mutex_;  // guards all below; never held while a receiver runs
  std::map<core::HostId, Agent> agents_;
  std::optional<boost::asio::any_io_executor> control_executor_;
  ReportReceiver control_receiver_;
  std::map<core::HostId, core::HostReport> waiting_reports_;
  bool reports_posted_ = false;
};

}  // namespace hikae::adapters
