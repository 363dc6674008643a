#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "control/background_task.h"
#include "control/log_ports.h"
#include "control/wake_signal.h"
#include "core/reconcile/assignment.h"

namespace hikae::control {

// The agent's part in log delivery: reads slow logs and engines' logs at a modest pace and hands
// them to where they go, beside the coroutines that keep the nodes. How far it has come lies beside
// each node, so that the next agent goes on from there; after a crash some lines come twice.
class LogCourier {
 public:
  struct Ports {
    LogSource* source;  // either nullptr: the host delivers no logs, and says so
    LogSink* sink;
    ProcessRunner& runner;
    Clock& clock;
    Log& log;
  };
  // `changed` is called whenever problem() of a node changed.
  LogCourier(boost::asio::any_io_executor executor, Ports ports, std::function<void()> changed);
  ~LogCourier();  // stop() must have returned

  void start();
  void assign(const core::Assignment& assignment);
  // Why some log of the node is not delivered; empty: all is well.
  std::string problem(const core::NodeKey& node) const;
  Awaitable<void> stop();

 private:
  struct Route {
    core::NodeAssignment node;
    LogPlace engine_log;
    std::int64_t slow_id = -1;    // of the newest entry that was delivered
    std::int64_t slow_since = 0;  // older entries were there before, in seconds since 1970
    bool loaded = false;
    bool moved = false;  // since it was written down
    Monotonic noted;     // when that was
    std::string problem;
  };

  Awaitable<void> run();
  Awaitable<void> serve(core::NodeKey key);
  Awaitable<Status> carry(core::NodeKey key, core::LogDelivery log);
  Awaitable<Status> carry_engine_log(core::NodeKey key, core::LogDelivery log);
  Awaitable<Status> carry_slow_log(core::NodeKey key, core::LogDelivery log);
  Awaitable<Status> hand_over(core::NodeKey key, LogBatch batch);
  Route* find(const core::NodeKey& key);
  void take_note(const core::NodeKey& key, const LogPlace& place);
  void load(Route& route);
  void save(Route& route, Duration least_pause);
  void forget(const Route& route);
  void settle(Route& route, const std::string& problem);

  Ports ports_;
  std::function<void()> changed_;
  std::map<core::NodeKey, Route> routes_;
  WakeSignal wake_;
  BackgroundTask task_;
  bool fresh_ = false;  // a node has come: what its engine writes first is to be met
  bool stopping_ = false;
};

}  // namespace hikae::control
