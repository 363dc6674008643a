#include "app/agent.h"

#include <csignal>
#include <cstdio>
#include <memory>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>

#include "adapters/addressing/interface_addresses.h"
#include "adapters/certificates/certificates.h"
#include "adapters/lease_memory/lease_memory.h"
#include "adapters/process/linux_process_runner.h"
#include "adapters/snapshot_directory/snapshot_directory.h"
#include "adapters/system/data_directory.h"
#include "adapters/system/priority.h"
#include "adapters/system/proc.h"
#include "adapters/system/real_clock.h"
#include "adapters/system/system_random.h"
#include "adapters/telemetry/spdlog_log.h"
#include "app/agent_joining.h"
#include "app/engine_connector.h"
#include "app/engine_watch.h"
#include "app/fence_module.h"
#include "app/host_limits.h"
#include "app/host_logs.h"
#include "app/lease_files.h"
#include "app/version.h"
#include "control/agent.h"
#include "engine/redis_driver.h"
#include "engine/redis_promises.h"
#include "engine/redis_saver.h"
#include "engine/redis_source.h"

namespace hikae::app {
namespace {

using control::Awaitable;

constexpr std::size_t kInstanceLength = 16;

// The composition root of an agent on a host of its own. All of it runs on one thread. Members are
// declared in the order in which they depend on each other.
class AgentProcess {
 public:
  AgentProcess(const AgentConfig& config, control::Log& log) : config_(config), log_(log) {}

  Status run() {
    if (auto prepared = prepare(); !prepared) {
      return prepared;
    }
    Status result;
    signals_.async_wait([this](const boost::system::error_code& error, int) {
      if (!error) {
        stop_asked();
      }
    });
    boost::asio::co_spawn(context_, serve(result), boost::asio::detached);
    context_.run();
    return result;
  }

 private:
  Status prepare() {
    auto directory = adapters::DataDirectory::open(config_.data_directory);
    if (!directory) {
      return tl::unexpected(directory.error());
    }
    data_.emplace(std::move(*directory));
    files_.emplace(data_->path());
    if (Status addresses = prepare_addresses(); !addresses) {
      return addresses;
    }
    engines_.emplace(std::vector<std::string>{config_.valkey_server, config_.redis_server}, log_);
    prepare_fences();
    prepare_front();
    if (engines_->engines()->list()->empty()) {
      return fail(ErrorCode::kNotFound,
                  "no engine is installed here; install valkey-server or redis-server");
    }
    return {};
  }

  // Without them everything works but that another node leads at once when this host is lost.
  void prepare_fences() {
    auto fences = find_fences(config_.fence_module, config_.keeper);
    auto leases = adapters::LeaseMemory::open(lease_files(data_->path()));
    if (!fences.problem.empty()) {
      log_.warn(fences.problem);
    }
    if (!leases) {
      log_.warn("engines here take writes without a lease: " + leases.error().message);
    } else if (!fences.module.empty() || !fences.keeper.empty()) {
      fences_ = std::move(fences);
      leases_ = std::move(*leases);
    }
  }

  // Without it no group with members here can have the encryption mode `preferred`.
  void prepare_front() {
    auto module = find_front_module();
    if (module) {
      front_module_ = std::move(*module);
    } else {
      log_.warn(fmt::format("engines here take clients with TLS or without it, and not both: {}",
                            module.error().message));
    }
  }

  Status prepare_addresses() {
    if (config_.interface.empty()) {
      const Status usable = adapters::can_bind(config_.addresses);
      return usable ? usable
                    : fail(ErrorCode::kUnavailable,
                           fmt::format("{}; name the interface that is to get it (--addresses "
                                       "...@eth0), or add it yourself",
                                       usable.error().message));
    }
    auto opened = adapters::InterfaceAddresses::open(config_.interface, config_.addresses, log_);
    if (!opened) {
      return tl::unexpected(opened.error());
    }
    addresses_ = std::move(*opened);
    return {};
  }

  Awaitable<void> serve(Status& result) {
    result = co_await identify();
    if (result) {
      result = start();
    }
    if (result) {
      co_await stop_.wait();
      log_.info("stopping; the engines keep running (`hikae down` stops them)");
      co_await client_->stop();
      if (snapshots_ != nullptr) {
        snapshots_->stop();
      }
      co_await agent_->stop();
      co_await log_post_->stop();
    }
    context_.stop();
  }

  // Who we are to the region; joins it where we are nobody yet.
  Awaitable<Status> identify() {
    auto identity = files_->load();
    if (identity && *identity && (*identity)->not_after <= clock_.now() &&
        config_.token_file.empty()) {
      co_return fail(ErrorCode::kDenied,
                     fmt::format("the certificate of host {} ended at {}; make a token with `hikae "
                                 "host token` on a server and give it with --token-file",
                                 (*identity)->host, to_iso8601((*identity)->not_after)));
    }
    const bool joined = identity && *identity && (*identity)->not_after > clock_.now();
    if (identity && !joined) {
      auto facts = this->facts();
      const Status status = co_await join_region(config_, *files_, std::move(facts), clock_, log_);
      if (!status) {
        co_return status;
      }
      identity = files_->load();
    }
    if (!identity || !*identity) {
      co_return identity ? fail(ErrorCode::kInternal, "the certificate was not kept")
                         : Status(tl::unexpected(identity.error()));
    }
    identity_ = std::move(**identity);
    co_return Status();
  }

  codec::agent::HostFacts facts() const {
    std::vector<std::string> engines;
    const auto installed = engines_->engines()->list();
    for (const engine::InstalledEngine& one : *installed) {
      engines.push_back(fmt::format("{} {}", one.engine, one.version));
    }
    auto facts = facts_of(config_, std::move(engines));
    facts.fences = leases_ != nullptr;
    facts.keeps = facts.fences && fences_.module.empty();
    facts.fronts = !front_module_.empty();
    return facts;
  }

  Status start() {
    adapters::LinuxProcessRunner::Options options;
    options.root = fmt::format("{}/{}", data_->nodes_path(), identity_.host);
    auto runner = adapters::LinuxProcessRunner::open(std::move(options));
    if (!runner) {
      return tl::unexpected(runner.error());
    }
    runner_ = std::move(*runner);
    engine::RedisDriver::Options driver;
    driver.secrets = secret_source();
    driver.certificates = certificate_source();
    driver.installed = engines_->engines();
    driver.strict = config_.engines_strict;
    driver.fence_module = fences_.module;
    driver.keeper = fences_.keeper;
    driver.front_module = front_module_;
    driver.leases = leases_.get();
    driver_ = std::make_unique<engine::RedisDriver>(std::move(driver), *runner_, connector_);
    promises_ = std::make_unique<engine::RedisPromises>(secret_source(), *runner_, connector_);
    if (Status made = make_client(); !made) {
      return made;
    }
    if (Status prepared = prepare_snapshots(); !prepared) {
      return prepared;
    }
    if (Status prepared = prepare_logs(); !prepared) {
      return prepared;
    }
    control::AgentPorts ports{
        *runner_,         *driver_,     clock_,           log_,          gate_, config_.limits,
        addresses_.get(), saver_.get(), snapshots_.get(), sources_.get()};
    ports.logs = logs_.get();
    ports.log_sink = log_post_.get();
    ports.port_holder = adapters::tcp_port_holder;
    ports.leases = leases_.get();
    ports.promises = promises_.get();
    ports.lease_link = client_.get();
    agent_ = std::make_unique<control::Agent>(context_.get_executor(), core::HostId(identity_.host),
                                              ports, *client_);
    tell_limits(*runner_, log_);
    if (!adapters::prefer_this_process()) {
      log_.warn(
          "running before other work is not permitted: on a busy machine failovers take longer; "
          "everything else works. `hikae doctor` says what is missing");
    }
    engines_->start();
    agent_->start();
    client_->start();
    announce();
    return {};
  }

  Status prepare_snapshots() {
    saver_ = std::make_unique<engine::RedisSaver>(secret_source(), *runner_, connector_);
    sources_ = std::make_unique<engine::RedisSource>(secret_source(), *runner_, connector_);
    if (config_.snapshots.empty()) {
      return {};
    }
    auto opened = adapters::SnapshotDirectory::open({config_.snapshots, ""});
    if (!opened) {
      return tl::unexpected(opened.error());
    }
    snapshots_ = std::move(*opened);
    return {};
  }

  Status prepare_logs() {
    LogPlaces places{config_.logs_directory, config_.logs_webhook};
    if (places.directory.empty()) {
      places.directory = data_->path() + "/logs";
    }
    auto post = LogPost::open(context_.get_executor(), std::move(places), clock_, log_);
    if (!post) {
      return tl::unexpected(post.error());
    }
    log_post_ = std::move(*post);
    log_post_->start();
    logs_ = std::make_unique<HostLogs>(engine::RedisSlowLog(secret_source(), *runner_, connector_),
                                       log_post_->pool());
    return {};
  }

  Status make_client() {
    agent_rpc::AgentClient::Options options;
    options.servers = config_.servers;
    options.host = identity_.host;
    options.hello.protocol = codec::agent::kProtocol;
    options.hello.software = version();
    options.hello.instance = random_.hex(kInstanceLength);
    options.hello.facts = facts();
    agent_rpc::AgentClient::Events events;
    events.assigned = [this](agent_rpc::ReceivedAssignment received) {
      passwords_ = std::move(received.passwords);
      agent_->assign(std::move(received.assignment));
    };
    events.removed = [this](const std::string& region) {
      log_.error(
          fmt::format("host {} was removed from region {}: its nodes are stopped. To join "
                      "again, delete {} and start the agent with a new token",
                      identity_.host, region, files_->directory()));
    };
    events.certificate_request = [this] {
      return adapters::make_certificate_request(identity_.tls.key);
    };
    events.leased = [this](const control::LeaseGrant& grant) { agent_->granted(grant); };
    events.renewed = [this](const std::string& certificate) { take_certificate(certificate); };
    client_ = std::make_unique<agent_rpc::AgentClient>(context_.get_executor(), std::move(options),
                                                       std::move(events), clock_, random_, log_);
    return use_identity();
  }

  Status use_identity() {
    auto tls = agent_rpc::agent_tls(identity_.tls);
    if (!tls) {
      return tl::unexpected(tls.error());
    }
    client_->use(std::move(*tls), identity_.renew_at(), identity_.not_after);
    return {};
  }

  void take_certificate(const std::string& certificate) {
    Status kept = files_->save(certificate);
    auto again = kept ? files_->load() : tl::unexpected(kept.error());
    if (again && *again) {
      identity_ = std::move(**again);
      kept = use_identity();
    }
    if (!again || !kept) {
      log_.error(fmt::format("the new certificate of host {} cannot be used: {}", identity_.host,
                             again ? kept.error().message : again.error().message));
      return;
    }
    log_.info(fmt::format("host {} has a new certificate, good until {}", identity_.host,
                          to_iso8601(identity_.not_after)));
  }

  engine::SecretSource secret_source() const {
    return [this](const core::NodeKey& node, const core::ReplicationGroupId&) {
      const auto it = passwords_.find(node);
      return it == passwords_.end() ? engine::NodeSecrets()
                                    : engine::NodeSecrets{it->second.admin, it->second.replication};
    };
  }

  engine::CertificateSource certificate_source() const {
    return [this](const core::NodeAssignment& node) -> Result<std::string> {
      const auto it = passwords_.find(node.node);
      if (it == passwords_.end() || it->second.certificate.empty()) {
        return fail(ErrorCode::kUnavailable,
                    fmt::format("node {}: the server sent no certificate", node.node.str()));
      }
      return it->second.certificate;
    };
  }

  void announce() const {
    std::printf("Hikae runs the nodes of host %s (zone %s) from %s\n", identity_.host.c_str(),
                config_.zone.c_str(), data_->path().c_str());
    std::fflush(stdout);
  }

  // Before the agent runs there is nothing to be stopped in an orderly way.
  void stop_asked() {
    stop_.raise();
    if (agent_ == nullptr) {
      context_.stop();
    }
  }

  const AgentConfig& config_;
  control::Log& log_;
  adapters::RealClock clock_;
  adapters::SystemRandom random_;
  EngineConnector connector_;
  std::optional<EngineWatch> engines_;
  std::optional<adapters::DataDirectory> data_;
  std::optional<AgentIdentityFiles> files_;
  AgentIdentity identity_;
  agent_rpc::Passwords passwords_;
  boost::asio::io_context context_{1};
  boost::asio::signal_set signals_{context_, SIGINT, SIGTERM};
  control::StartGate gate_{starts_at_once()};
  control::WakeSignal stop_{context_.get_executor()};
  std::unique_ptr<adapters::InterfaceAddresses> addresses_;
  std::unique_ptr<adapters::LinuxProcessRunner> runner_;
  Fences fences_;
  std::string front_module_;
  std::unique_ptr<adapters::LeaseMemory> leases_;  // nullptr: engines are not fenced
  std::unique_ptr<engine::RedisDriver> driver_;
  std::unique_ptr<engine::RedisPromises> promises_;
  std::unique_ptr<engine::RedisSaver> saver_;
  std::unique_ptr<engine::RedisSource> sources_;
  std::unique_ptr<adapters::SnapshotDirectory> snapshots_;  // nullptr: the host sees none
  std::unique_ptr<LogPost> log_post_;
  std::unique_ptr<HostLogs> logs_;
  std::unique_ptr<agent_rpc::AgentClient> client_;
  std::unique_ptr<control::Agent> agent_;
};

}  // namespace

int run_agent(const AgentConfig& config) {
  auto log = adapters::SpdlogLog::open(config.log_file);
  if (!log) {
    std::fprintf(stderr, "hikae agent: %s\n", log.error().message.c_str());
    return 1;
  }
  // A server or an engine that goes away must not take us with it.
  std::signal(SIGPIPE, SIG_IGN);
  const auto result = AgentProcess(config, **log).run();
  if (!result) {
    std::fprintf(stderr, "hikae agent: %s\n", result.error().message.c_str());
    return 1;
  }
  return 0;
}

}  // namespace hikae::app
