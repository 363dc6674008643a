#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "adapters/agent_memory/agent_memory.h"
#include "adapters/http/server.h"
#include "adapters/system/data_directory.h"
#include "adapters/system/real_clock.h"
#include "adapters/system/system_random.h"
#include "api/credentials.h"
#include "api/dispatch.h"
#include "app/config.h"
#include "app/zone_publisher.h"
#include "control/failover_recorder.h"
#include "control/frontend.h"
#include "control/name_publisher.h"
#include "control/reconciler.h"

namespace hikae::app {

// Everything that runs on the control thread: the state and its reconcilers, the names, the API.
// Made once the state is open; torn down in the reverse order by stop().
class ControlPlane {
 public:
  struct Parts {
    boost::asio::io_context& context;
    const ServeConfig& config;
    control::Store& store;
    control::Log& log;
    adapters::AgentMemory& agents;
    ZonePublisher& zone;
    control::FailoverReportSink& reports;
    adapters::Credentials credentials;
    // What is answered at kMetricsPath; may be empty.
    std::function<control::Awaitable<std::string>()> metrics = {};
  };

  explicit ControlPlane(Parts parts);

  // Reads the state, makes the region at the first start, publishes the names, starts to reconcile.
  control::Awaitable<Status> open();
  // Starts to answer the API; the address is where it really listens.
  Result<SocketAddress> listen();
  control::Awaitable<void> stop();

  const core::State& state() const { return frontend_.state(); }

 private:
  control::Awaitable<Status> create_region();
  Status check_region() const;
  void accept_credentials();
  control::Awaitable<http::Response> handle(http::Request request);
  http::Response names() const;

  Parts parts_;
  adapters::RealClock clock_;
  adapters::SystemRandom random_;
  control::Frontend frontend_;
  control::NamePublisher names_;
  control::Reconciler reconciler_;
  control::FailoverRecorder recorder_;
  api::Credentials credentials_;
  std::unique_ptr<api::Dispatcher> dispatcher_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace hikae::app
