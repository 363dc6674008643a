#include "app/local_agents.h"

#include <algorithm>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "adapters/system/priority.h"
#include "adapters/system/proc.h"
#include "app/host_limits.h"

namespace hikae::app {

LocalAgents::LocalAgents(Options options, adapters::AgentMemory& link, control::Log& log)
    : options_(std::move(options)),
      link_(link),
      log_(log),
      gate_(starts_at_once()),
      work_(boost::asio::make_work_guard(context_)) {}

LocalAgents::~LocalAgents() {
  stop();
}

Status LocalAgents::start(const std::vector<core::HostId>& hosts) {
  auto post = LogPost::open(context_.get_executor(), options_.logs, clock_, log_);
  if (!post) {
    return tl::unexpected(post.error());
  }
  log_post_ = std::move(*post);
  for (const core::HostId& id : hosts) {
    if (auto added = add(id); !added) {
      return added;
    }
  }
  if (!hosts_.empty()) {
    tell_limits(*hosts_.front().runner, log_);
  }
  log_post_->start();
  for (Host& host : hosts_) {
    host.agent->start();
    link_.connect_agent(host.id, context_.get_executor(),
                        [agent = host.agent.get()](core::Assignment assignment) {
                          agent->assign(std::move(assignment));
                        });
  }
  thread_ = std::thread([this] {
    // Among threads of equal priority one waits for another's whole turn, a tenth of a second; who
    // decides waited so for those who carry out what was decided before.
    adapters::prefer_this_thread(adapters::ThreadWork::kCarriesOut);
    context_.run();
  });
  // Those who decide and those who carry it out: all threads that there are now.
  if (!adapters::prefer_this_process()) {
    log_.warn(
        "running before other work is not permitted: on a busy machine failovers take longer; "
        "everything else works. `hikae doctor` says what is missing");
  }
  return {};
}

Status LocalAgents::add(const core::HostId& id) {
  adapters::LinuxProcessRunner::Options options;
  options.root = fmt::format("{}/{}", options_.nodes_path, id.str());
  auto runner = adapters::LinuxProcessRunner::open(std::move(options));
  if (!runner) {
    return tl::unexpected(runner.error());
  }
  Host host;
  host.id = id;
  host.runner = std::move(*runner);
  host.driver = std::make_unique<engine::RedisDriver>(options_.driver, *host.runner, connector_);
  host.saver =
      std::make_unique<engine::RedisSaver>(options_.driver.secrets, *host.runner, connector_);
  host.sources =
      std::make_unique<engine::RedisSource>(options_.driver.secrets, *host.runner, connector_);
  control::AgentPorts ports{*host.runner, *host.driver, clock_, log_, gate_, options_.limits};
  ports.saver = host.saver.get();
  ports.sources = host.sources.get();
  ports.snapshots = &options_.snapshots;
  host.logs = std::make_unique<HostLogs>(
      engine::RedisSlowLog(options_.driver.secrets, *host.runner, connector_), log_post_->pool());
  ports.logs = host.logs.get();
  ports.log_sink = log_post_.get();
  ports.port_holder = adapters::tcp_port_holder;
  host.agent = std::make_unique<control::Agent>(context_.get_executor(), id, ports, link_);
  hosts_.push_back(std::move(host));
  return {};
}

control::Awaitable<AgentsLoad> LocalAgents::load() {
  auto collecting = collect_load();
  co_return co_await boost::asio::co_spawn(context_, std::move(collecting),
                                           boost::asio::use_awaitable);
}

// On the agents' thread.
control::Awaitable<AgentsLoad> LocalAgents::collect_load() {
  AgentsLoad out;
  for (const Host& host : hosts_) {
    const control::AgentLoad load = host.agent->load();
    out.nodes += load.nodes;
    out.watched += load.watched;
    out.glance = std::max(out.glance, load.watched > 0 ? load.glance : Duration());
    out.poll = std::max({out.poll, load.poll_watched, load.poll_others});
    out.resets = host.runner->socket_resets_supported();
  }
  out.cpu = adapters::thread_cpu_time();
  co_return out;
}

control::Awaitable<void> LocalAgents::stop_agents() {
  for (Host& host : hosts_) {
    link_.disconnect_agent(host.id);
    co_await host.agent->stop();
  }
  co_await log_post_->stop();
  work_.reset();
}

void LocalAgents::stop() {
  if (!thread_.joinable()) {
    return;
  }
  boost::asio::co_spawn(context_, stop_agents(), boost::asio::detached);
  thread_.join();
}

}  // namespace hikae::app
