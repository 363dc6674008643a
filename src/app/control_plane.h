#pragma once

#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>

#include "adapters/http/server.h"
#include "adapters/system/data_directory.h"
#include "adapters/system/real_clock.h"
#include "adapters/system/system_random.h"
#include "api/credentials.h"
#include "api/dispatch.h"
#include "app/config.h"
#include "app/host_admin.h"
#include "app/region_duty.h"
#include "app/state_store.h"
#include "app/zone_publisher.h"
#include "control/frontend.h"
#include "control/leader_loop.h"
#include "control/name_publisher.h"
#include "control/state_follower.h"

namespace hikae::app {

// Everything that runs on the control thread: the state, the names, the API, and what only one
// server of a region does. Where several servers share the state each of them follows it, and the
// duty is the leader's. Torn down in the reverse order by stop().
class ControlPlane {
 public:
  struct Parts {
    boost::asio::io_context& context;
    const ServeConfig& config;
    StateStore& state;
    control::Log& log;
    ZonePublisher& zone;
    control::FailoverReportSink& reports;
    const adapters::CertificateAuthority& ca;
    adapters::Credentials credentials;
    std::string data_directory;  // absolute
    engine::RedisDriver::Options driver;
    std::string region_secret;
    api::SnapshotAccess snapshots;
    std::vector<control::MessageSink*> notifications;
    RegionDuty::NodeRunner runner = {};
  };

  explicit ControlPlane(Parts parts);

  // Reads the state, makes the region at the first start, publishes the names, starts to reconcile
  // or to campaign for it.
  control::Awaitable<Status> open();
  // Starts to answer the API; the address is where it really listens.
  Result<SocketAddress> listen();
  control::Awaitable<void> stop();

  const core::State& state() const { return frontend_.state(); }
  control::Frontend& frontend() { return frontend_; }

 private:
  control::Awaitable<Status> create_region();
  Status check_nothing_is_left() const;
  bool runs_nodes() const;
  control::Awaitable<Status> choose_shape();
  Status check_region() const;
  void accept_credentials();
  Status take_part();
  control::Awaitable<http::Response> handle(http::Request request);
  http::Response names() const;

  Parts parts_;
  adapters::RealClock clock_;
  adapters::SystemRandom random_;
  control::Frontend frontend_;
  control::NamePublisher names_;
  RegionDuty duty_;
  std::optional<control::StateFollower> follower_;
  std::optional<control::LeaderLoop> leader_;
  api::Credentials credentials_;
  StatusReport report_;
  HostAdmin host_admin_;
  std::unique_ptr<api::Dispatcher> dispatcher_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace hikae::app
