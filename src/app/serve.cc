#include "app/serve.h"

#include <csignal>
#include <cstdio>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "adapters/delivery/line_file.h"
#include "adapters/delivery/webhook.h"
#include "adapters/s3_buckets/s3_snapshots.h"
#include "adapters/snapshot_directory/snapshot_directory.h"
#include "adapters/system/machine.h"
#include "adapters/system/priority.h"
#include "adapters/telemetry/spdlog_log.h"
#include "app/ca_file.h"
#include "app/control_plane.h"
#include "app/engine_watch.h"
#include "app/failover_reports.h"
#include "app/fence_module.h"
#include "app/moved_mark.h"
#include "app/node_certificates.h"
#include "app/region_ca.h"
#include "app/runtime_facts.h"
#include "app/s3_access.h"
#include "app/state_store.h"

namespace hikae::app {
namespace {

adapters::SnapshotDirectory::Options snapshot_places(const ServeConfig& config,
                                                     const std::string& data_directory) {
  const std::string& beside_nodes =
      config.local_agents.empty() ? data_directory : config.local_agents;
  return {config.snapshots.empty() ? beside_nodes + "/snapshots" : config.snapshots,
          config.buckets.empty() ? beside_nodes + "/buckets" : config.buckets};
}

// The composition root. Members are declared in the order in which they depend on each other, so
// that the reverse order of destruction is right.
class Serve {
 public:
  Serve(const ServeConfig& config, control::Log& log) : config_(config), log_(log) {}

  Status run() {
    auto opened = prepare();
    if (!opened) {
      return opened;
    }
    Status result;
    boost::asio::co_spawn(context_, serve(result), boost::asio::detached);
    context_.run();
    dns_.stop();
    return result;
  }

 private:
  Status prepare() {
    if (config_.allow_test_credentials && (config_.listen.address.bits() >> 24) != 127) {
      return fail(ErrorCode::kInvalid,
                  fmt::format("--allow-test-credentials works on loopback only; {} is not",
                              config_.listen.str()));
    }
    auto directory = adapters::DataDirectory::open(config_.data_directory);
    if (!directory) {
      return tl::unexpected(directory.error());
    }
    data_.emplace(std::move(*directory));
    if (Status here = check_place(); !here) {
      return here;
    }
    std::function<void()> on_thread;
    if (!config_.local_agents.empty()) {
      on_thread = [] { adapters::prefer_this_thread(adapters::ThreadWork::kCommits); };
    }
    auto state =
        StateStore::open(config_, {context_.get_executor(), random_, clock_, data_->state_path(),
                                   server_name(), std::move(on_thread)});
    if (!state) {
      return tl::unexpected(state.error());
    }
    state_ = std::move(*state);
    if (Status shared = check_identity(); !shared) {
      return shared;
    }
    auto secret = data_->region_secret(random_);
    auto credentials = data_->credentials(random_);
    if (!secret || !credentials) {
      return tl::unexpected(secret ? credentials.error() : secret.error());
    }
    auto ca = region_ca(config_.region, *secret);
    if (!ca) {
      return tl::unexpected(ca.error());
    }
    ca_.emplace(std::move(*ca));
    auto nodes = nodes_ca(config_.region, *secret);
    if (!nodes) {
      return tl::unexpected(nodes.error());
    }
    node_certificates_.emplace(std::move(*nodes), clock_, config_.agents_certificate_lifetime);
    if (auto kept = keep_ca(data_->path(), node_certificates_->ca_certificate()); !kept) {
      return kept;
    }
    auto zone = ZonePublisher::open(config_.domain, listen_dns(), dns_, log_);
    if (!zone) {
      return tl::unexpected(zone.error());
    }
    zone_ = std::move(*zone);
    engine::RedisDriver::Options driver;
    driver.secrets = engine::secrets_from(*secret);
    driver.certificates = [this](const core::NodeAssignment& node) {
      return node_certificates_->for_node(node);
    };
    engines_.emplace(std::vector<std::string>{config_.valkey_server, config_.redis_server}, log_);
    engines_->start();
    driver.installed = engines_->engines();
    driver.strict = config_.engines_strict;
    if (auto front = find_front_module(); front) {
      driver.front_module = std::move(*front);
    } else {
      log_.warn(fmt::format("engines here take clients with TLS or without it, and not both: {}",
                            front.error().message));
    }
    auto snapshots = adapters::SnapshotDirectory::open(snapshot_places(config_, data_->path()));
    if (!snapshots) {
      return tl::unexpected(snapshots.error());
    }
    snapshots_ = std::move(*snapshots);
    if (Status reached = prepare_s3(); !reached) {
      return reached;
    }
    control::SnapshotFiles* files = snapshots_.get();
    if (s3_ != nullptr) {
      files = s3_.get();
    }
    api::SnapshotAccess access = {files, newest_format_of(driver)};
    reports_.emplace(data_->path() + "/failovers", log_);
    auto notifications = open_notifications();
    if (!notifications) {
      return tl::unexpected(notifications.error());
    }
    control_ = std::make_unique<ControlPlane>(ControlPlane::Parts{
        context_, config_, *state_, log_, *zone_, *reports_, *ca_, std::move(*credentials),
        data_->path(), std::move(driver), *secret, std::move(access), std::move(*notifications)});
    return dns_status_;
  }

  // Where events of caches are told, as configured.
  Result<std::vector<control::MessageSink*>> open_notifications() {
    std::vector<control::MessageSink*> out;
    if (!config_.notifications_webhook.empty()) {
      auto opened = adapters::Webhook::open(config_.notifications_webhook);
      if (!opened) {
        return tl::unexpected(opened.error());
      }
      out.push_back(&webhook_.emplace(std::move(*opened)));
    }
    if (!config_.notifications_file.empty()) {
      out.push_back(&notifications_file_.emplace(config_.notifications_file));
    }
    return out;
  }

  Status prepare_s3() {
    if (!config_.s3) {
      return {};
    }
    auto options = s3_options(*config_.s3);
    if (!options) {
      return tl::unexpected(options.error());
    }
    s3_ = std::make_unique<s3::S3Snapshots>(s3::S3Snapshots::Options{std::move(*options)},
                                            *snapshots_, clock_);
    return {};
  }

  // By the engine that would really run, which may be newer than the version asked for.
  static std::function<int(std::string_view, std::string_view)> newest_format_of(
      const engine::RedisDriver::Options& driver) {
    return [installed = driver.installed, strict = driver.strict](std::string_view name,
                                                                  std::string_view version) {
      const auto choice = engine::choose_engine(name, version, *installed->list(), strict);
      return choice ? engine::newest_rdb_format(choice->installed.engine, choice->installed.version)
                    : 0;
    };
  }

  // A region that went to etcd is not served from what was left behind.
  Status check_place() {
    const std::string moved = moved_to(data_->path());
    if (!config_.etcd && !moved.empty()) {
      return fail(ErrorCode::kInvalid,
                  fmt::format("the region of {} was moved to {}; serve it with --store, or remove "
                              "{} if that is over",
                              data_->path(), moved, moved_mark_path(data_->path())));
    }
    return {};
  }

  // A server that joins a region needs its secret and its access key. They are copied by hand,
  // never drawn anew, and never in etcd (docs/adr/0019-region-secret-by-file.md).
  Status check_identity() {
    if (!config_.etcd || data_->has_identity()) {
      return {};
    }
    Result<core::State> stored = fail(ErrorCode::kInternal, "not read");
    boost::asio::co_spawn(context_, read(stored), boost::asio::detached);
    context_.run();
    context_.restart();
    if (!stored) {
      return tl::unexpected(stored.error());
    }
    if (stored->revision() == core::Revision(0)) {
      return {};
    }
    return fail(ErrorCode::kInvalid,
                fmt::format("{} holds a region already; copy the files secret and credentials from "
                            "the data directory of one of its servers to {}",
                            state_->place(), data_->path()));
  }

  control::Awaitable<void> read(Result<core::State>& stored) {
    stored = co_await state_->store().load();
  }

  // Tells people who leads.
  std::string server_name() const {
    return fmt::format("{} pid {} ({})", adapters::machine_name(), ::getpid(), data_->path());
  }

  // Binds the DNS addresses; those that merely may work are tried and left out without complaint.
  std::vector<Ipv4> listen_dns() {
    std::vector<dns::ListenAddress> wanted;
    for (const SocketAddress& address : config_.dns_listen) {
      wanted.push_back({address.address, address.port});
    }
    for (const SocketAddress& address : config_.dns_listen_if_permitted) {
      wanted.push_back({address.address, address.port});
    }
    const auto listening = dns_.start(wanted);
    std::vector<Ipv4> addresses;
    for (std::size_t i = 0; i < listening.size(); ++i) {
      if (listening[i].status) {
        facts_.dns.push_back(listening[i].address.str());
        addresses.push_back(listening[i].address.address);
      } else if (i < config_.dns_listen.size()) {
        dns_status_ = tl::unexpected(listening[i].status.error());
      }
    }
    return addresses;
  }

  control::Awaitable<void> serve(Status& result) {
    result = co_await control_->open();
    if (result) {
      result = announce();
    }
    if (result) {
      co_await wait_for_signal();
      log_.info("stopping; the engines keep running (`hikae down` stops them)");
    }
    snapshots_->stop();
    if (s3_ != nullptr) {
      s3_->stop();
    }
    co_await control_->stop();
    context_.stop();
  }

  // Says where the region is to be found, to people and to the other commands.
  Status announce() {
    const auto address = control_->listen();
    if (!address) {
      return tl::unexpected(address.error());
    }
    facts_.pid = ::getpid();
    facts_.api = address->str();
    facts_.region = config_.region;
    facts_.domain = config_.domain;
    facts_.agents = config_.agents_listen ? config_.agents_listen->str() : "";
    if (auto written = write_runtime_facts(data_->path(), facts_); !written) {
      return written;
    }
    std::printf(
        "Hikae serves region %s from %s\n"
        "  API  http://%s\n"
        "  DNS  %s (zone %s)\n"
        "%s"
        "Next:  eval \"$(hikae env --data %s)\" && aws elasticache describe-replication-groups\n"
        "  or:  hikae shell --data %s\n",
        config_.region.c_str(), data_->path().c_str(), facts_.api.c_str(),
        fmt::format("{}", fmt::join(facts_.dns, ", ")).c_str(), config_.domain.c_str(),
        config_.agents_listen ? fmt::format("  Agents  https://{}\n", facts_.agents).c_str() : "",
        data_->path().c_str(), data_->path().c_str());
    std::fflush(stdout);
    return {};
  }

  control::Awaitable<void> wait_for_signal() {
    boost::asio::signal_set signals(context_, SIGINT, SIGTERM);
    co_await signals.async_wait(boost::asio::use_awaitable);
  }

  const ServeConfig& config_;
  control::Log& log_;
  adapters::SystemRandom random_;
  adapters::RealClock clock_;
  boost::asio::io_context context_{1};
  std::optional<adapters::DataDirectory> data_;
  std::unique_ptr<StateStore> state_;
  std::optional<EngineWatch> engines_;
  RuntimeFacts facts_;
  Status dns_status_;
  // A name that has moved is of no use to a client that waits for its answer behind other work.
  dns::DnsServer dns_{
      {.on_thread = [] { adapters::prefer_this_thread(adapters::ThreadWork::kSmall); }}};
  std::unique_ptr<ZonePublisher> zone_;
  std::unique_ptr<adapters::SnapshotDirectory> snapshots_;
  std::unique_ptr<s3::S3Snapshots> s3_;  // nullptr: buckets are directories
  std::optional<FailoverReports> reports_;
  std::optional<adapters::Webhook> webhook_;
  std::optional<adapters::LineFile> notifications_file_;
  std::optional<adapters::CertificateAuthority> ca_;
  std::optional<NodeCertificates> node_certificates_;
  std::unique_ptr<ControlPlane> control_;
};

}  // namespace

int run_serve(const ServeConfig& config) {
  auto log = adapters::SpdlogLog::open(config.log_file);
  if (!log) {
    std::fprintf(stderr, "hikae: %s\n", log.error().message.c_str());
    return 1;
  }
  // A client or an engine that goes away must not take us with it.
  std::signal(SIGPIPE, SIG_IGN);
  const auto result = Serve(config, **log).run();
  if (!result) {
    std::fprintf(stderr, "hikae: %s\n", result.error().message.c_str());
    return 1;
  }
  return 0;
}

}  // namespace hikae::app
