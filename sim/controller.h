#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "control/failover_recorder.h"
#include "control/frontend.h"
#include "control/lease_watch.h"
#include "control/name_publisher.h"
#include "control/reconciler.h"
#include "sim/network.h"
#include "sim/store.h"

namespace hikae::sim {

// The names as clients see them. Empty while no controller runs: the name server is part of it.
class SimZone final : public control::NameSink {
 public:
  using Observer = std::function<void(const core::NameRecord&)>;
  void set_observer(Observer observer) { observer_ = std::move(observer); }

  void publish(std::vector<core::NameRecord> upserts, std::vector<std::string> removed) override;
  void clear() { records_.clear(); }
  // Where the name leads, aliases followed. The first target of several.
  std::optional<Ipv4> resolve(const std::string& name) const;
  const std::map<std::string, core::NameRecord>& records() const { return records_; }

 private:
  std::map<std::string, core::NameRecord> records_;
  Observer observer_;
};

// A controller's way to the directory of failover reports. Keeping one takes time, and a crash
// before the end of it keeps none.
class SimReports final : public control::FailoverReportSink {
 public:
  using Observer = std::function<void(const control::FailoverReport&)>;
  SimReports(Env env, SimClock& clock) : env_(env), clock_(clock) {}
  void set_observer(Observer observer) { observer_ = std::move(observer); }  // of those kept

  control::Awaitable<void> keep(control::FailoverReport report) override;

 private:
  Env env_;
  SimClock& clock_;
  Observer observer_;
};

// One incarnation of the control plane: the real frontend, names, reconciler and recorder of
// failovers in an event loop of their own. Destroying it at any moment is a crash: what was
// suspended never runs again.
class Controller {
 public:
  Controller(Env env, SimStore& store, Network& network, SimZone& zone, int incarnation);
  ~Controller();
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  // Reads the state, makes the region where there is none, and begins to reconcile.
  void start();
  // Tells of every failover right after its commit. Before start().
  void on_failover(control::Reconciler::FailoverObserver observer) {
    reconciler_.on_failover(std::move(observer));
  }
  void on_kept_report(SimReports::Observer observer) { reports_.set_observer(std::move(observer)); }
  // Runs one handler that is ready. False when there is none.
  bool run_one();

  Realm realm() const { return realm_; }
  bool open() const { return open_; }
  bool failed() const { return failed_; }  // the state could not be read: to be started again
  const core::State& state() const { return frontend_.state(); }
  const control::Reconciler& reconciler() const { return reconciler_; }
  // Gives the API's decision to the frontend; its outcome goes into the trace as `what`.
  void submit(std::string what, control::Frontend::Decision decision);

 private:
  control::Awaitable<void> run();
  control::Awaitable<Status> create_region();
  control::Awaitable<Status> fence_hosts();
  void watch_leases();
  control::Awaitable<void> perform(std::string what, control::Frontend::Decision decision);

  Env env_;
  Network& network_;
  SimZone& zone_;
  Realm realm_;
  SimClock clock_;
  SimLog log_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  StoreSession store_;
  control::Frontend frontend_;
  control::NamePublisher names_;
  control::Reconciler reconciler_;
  SimReports reports_;
  control::FailoverRecorder recorder_;
  std::optional<control::LeaseWatch> leases_;
  bool open_ = false;
  bool failed_ = false;
};

}  // namespace hikae::sim
