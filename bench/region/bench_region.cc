// A whole region as `hikae serve` composes it (HTTP server, API, state in SQLite, reconcilers,
// agents), except that its engines are mocked and DNS is not served:
//   bench_region <data directory> <port>
// Accepts the key test/test. Prints one line when it answers, and ends when its standard input
// does.
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "adapters/snapshot_directory/snapshot_directory.h"
#include "app/control_plane.h"
#include "app/failover_reports.h"
#include "app/region_ca.h"
#include "app/state_store.h"
#include "base/strings.h"
#include "region/mock_agents.h"

namespace {

using hikae::ErrorCode;
using hikae::fail;
using hikae::Status;
namespace adapters = hikae::adapters;
namespace app = hikae::app;
namespace control = hikae::control;
namespace engine = hikae::engine;

// A thousand creations would be thousands of lines; what goes wrong is still told.
class QuietLog final : public control::Log {
 public:
  void info(std::string_view) override {}
  void warn(std::string_view line) override { tell(line); }
  void error(std::string_view line) override { tell(line); }

 private:
  static void tell(std::string_view line) {
    std::fprintf(stderr, "%.*s\n", int(line.size()), line.data());
  }
};

class BenchRegion {
 public:
  explicit BenchRegion(app::ServeConfig config) : config_(std::move(config)) {}

  Status run() {
    auto directory = adapters::DataDirectory::open(config_.data_directory);
    if (!directory) {
      return tl::unexpected(directory.error());
    }
    auto credentials = directory->credentials(random_);
    auto secret = directory->region_secret(random_);
    auto zone = app::ZonePublisher::open(config_.domain, {}, dns_, log_);
    if (!credentials || !secret || !zone) {
      return fail(ErrorCode::kInternal, "cannot prepare " + directory->path());
    }
    auto ca = app::region_ca(config_.region, *secret);
    auto state = app::StateStore::open(
        config_, {context_.get_executor(), random_, clock_, directory->state_path(), "bench"});
    auto snapshots = adapters::SnapshotDirectory::open(
        {directory->path() + "/snapshots", directory->path() + "/buckets"});
    if (!ca || !state || !snapshots) {
      return fail(ErrorCode::kInternal, "cannot prepare " + directory->path());
    }
    app::FailoverReports reports(directory->path() + "/failovers", log_);
    engine::RedisDriver::Options driver;
    driver.secrets = engine::secrets_from(*secret);
    control_ = std::make_unique<app::ControlPlane>(app::ControlPlane::Parts{
        context_,
        config_,
        **state,
        log_,
        **zone,
        reports,
        *ca,
        std::move(*credentials),
        directory->path(),
        std::move(driver),
        *secret,
        {snapshots->get()},
        {},
        [this](adapters::AgentMemory& link, const std::vector<hikae::core::HostId>& hosts) {
          agents_.emplace(link, log_);
          agents_->start(hosts);
        }});
    Status result;
    boost::asio::co_spawn(context_, serve(result), boost::asio::detached);
    context_.run();
    control_.reset();
    return result;
  }

 private:
  control::Awaitable<void> serve(Status& result) {
    result = co_await control_->open();
    if (result) {
      if (const auto address = control_->listen(); !address) {
        result = tl::unexpected(address.error());
      }
    }
    if (result) {
      std::printf("ready\n");
      std::fflush(stdout);
      co_await wait_for_end_of_input();
    }
    if (agents_) {
      agents_->stop();
    }
    co_await control_->stop();
    context_.stop();
  }

  control::Awaitable<void> wait_for_end_of_input() {
    boost::asio::posix::stream_descriptor input(context_, ::dup(STDIN_FILENO));
    // Nothing is ever written there, so readable means that the other end is closed.
    const auto readable = boost::asio::posix::stream_descriptor::wait_read;
    co_await input.async_wait(readable, boost::asio::use_awaitable);
  }

  app::ServeConfig config_;
  QuietLog log_;
  adapters::SystemRandom random_;
  boost::asio::io_context context_{1};
  hikae::dns::DnsServer dns_;
  adapters::RealClock clock_;
  std::optional<hikae::bench::MockAgents> agents_;
  std::unique_ptr<app::ControlPlane> control_;
};

}  // namespace

int main(int argc, char** argv) {
  const auto port = argc == 3 ? hikae::parse_integer(argv[2]) : std::nullopt;
  if (!port || *port < 1 || *port > 65535) {
    std::fprintf(stderr, "usage: bench_region <data directory> <port>\n");
    return 2;
  }
  app::ConfigSettings settings;
  settings.data_directory = argv[1];
  settings.listen = "127.0.0.1:" + std::to_string(*port);
  settings.allow_test_credentials = true;
  auto config = app::resolve(settings);
  if (!config) {
    std::fprintf(stderr, "bench_region: %s\n", config.error().message.c_str());
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  const Status status = BenchRegion(std::move(*config)).run();
  if (!status) {
    std::fprintf(stderr, "bench_region: %s\n", status.error().message.c_str());
    return 1;
  }
  return 0;
}
