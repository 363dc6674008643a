#pragma once

#include <optional>

#include <boost/asio/any_io_executor.hpp>

#include "control/background_task.h"
#include "control/frontend.h"
#include "control/reconciler.h"
#include "control/wake_signal.h"
#include "core/failover/lease.h"

namespace hikae::control {

// The leader's side of leases: grants them to the agents that ask, and tells the reconciler of
// which hosts none lasts any more. On the control thread.
class LeaseWatch {
 public:
  struct Parts {
    boost::asio::any_io_executor executor;
    Frontend& frontend;
    Reconciler& reconciler;
    const Leadership* leadership;  // nullptr: this server is the only one
    Duration length{};             // of a lease
    Clock& clock;
  };

  explicit LeaseWatch(Parts parts);
  ~LeaseWatch();  // stop() must have returned

  void start();
  Awaitable<void> stop();

  // Tells the reconciler of hosts that have fallen silent. start() has it done by itself.
  void look();
  // nullopt: another server may lead by now. The asker's time is for the caller to fill in.
  std::optional<LeaseGrant> grant(const core::HostId& host);

 private:
  Awaitable<void> run();

  Parts parts_;
  core::LeaseLedger ledger_;
  WakeSignal wake_;
  BackgroundTask task_;
  bool stopping_ = false;
};

}  // namespace hikae::control
