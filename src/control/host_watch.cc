#include "control/host_watch.h"

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

#include "base/check.h"
#include "core/admission/host.h"
#include "core/reconcile/lost_host.h"

namespace hikae::control {
namespace {

constexpr Duration kLookEvery = std::chrono::milliseconds(500);
// An agent that is restarted, or changes to another server, is back by then.
constexpr Duration kGrace = std::chrono::seconds(3);

std::string in_words(Duration time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time).count() + 1;
  return seconds < 120 ? fmt::format("{} s", seconds) : fmt::format("{} min", seconds / 60);
}

struct Socket {
  Ipv4 address;
  std::uint16_t port = 0;
};

// Where the node listens on that host.
std::optional<Socket> socket_of(const core::State& state, const core::HostId& host,
                                const core::NodeKey& key) {
  const auto* cluster = state.find<core::CacheCluster>(key.cluster);
  if (cluster == nullptr) {
    return std::nullopt;
  }
  for (const core::Node& node : cluster->nodes) {
    if (node.id == key.node) {
      return Socket{node.host == host ? node.address : node.move.address, cluster->settings.port};
    }
  }
  return std::nullopt;
}

}  // namespace

HostWatch::HostWatch(Parts parts)
    : parts_(std::move(parts)), wake_(parts_.executor), task_(parts_.executor) {}

HostWatch::~HostWatch() {
  HIKAE_CHECK(!task_.is_running());
}

void HostWatch::start() {
  task_.start(run(), [](std::exception_ptr thrown) { HIKAE_CHECK(thrown == nullptr); });
}

Awaitable<void> HostWatch::stop() {
  stopping_ = true;
  wake_.raise();
  co_await task_.over();
}

std::string HostWatch::note(const core::HostId& host) const {
  const auto it = absent_.find(host);
  return it == absent_.end() ? "" : it->second.note;
}

Awaitable<void> HostWatch::run() {
  using namespace boost::asio::experimental::awaitable_operators;
  while (!stopping_) {
    std::vector<core::HostId> hosts;
    for (const auto& [id, host] : parts_.frontend.state().all<core::Host>()) {
      if (!host.is_stand_in()) {
        hosts.push_back(id);
      }
    }
    std::erase_if(absent_, [&](const auto& entry) {
      return std::find(hosts.begin(), hosts.end(), entry.first) == hosts.end();
    });
    for (const core::HostId& host : hosts) {
      if (!stopping_) {
        co_await look_at(host);
      }
    }
    if (stopping_) {
      co_return;
    }
    auto time = parts_.clock.sleep_for(kLookEvery);
    auto end = wake_.wait();
    co_await (std::move(time) || std::move(end));
  }
}

Awaitable<void> HostWatch::look_at(core::HostId host) {
  const auto* known = parts_.frontend.state().find<core::Host>(host);
  if (known == nullptr) {
    co_return;
  }
  const bool noted = known->absent_since != Instant();
  if (parts_.is_connected(host)) {
    absent_.erase(host);
    if (noted) {
      core::NoteHost command{host, true};
      co_await submit(std::move(command));
      parts_.log.info(fmt::format("host {} is back", host.str()));
    }
    co_await end_drain(host);
    co_return;
  }
  const Monotonic now = parts_.clock.monotonic();
  const auto [absence, fresh] = absent_.try_emplace(host);
  if (fresh) {
    absence->second.since = absence->second.silent = now;
  }
  if (now - absence->second.since < kGrace) {
    co_return;
  }
  if (!noted) {
    core::NoteHost command{host, false};
    co_await submit(std::move(command));
    parts_.log.warn(fmt::format("host {} is out of reach; its engines may go on", host.str()));
  }
  co_await look_for_life(host);
}

// One engine each time, in turn: a host that is dead keeps everybody waiting who asks it.
Awaitable<void> HostWatch::look_for_life(core::HostId host) {
  const auto nodes = core::nodes_on(parts_.frontend.state(), host);
  if (nodes.empty() || parts_.rebuild_after == Duration()) {
    absent_[host].note = "";
    co_return;
  }
  const core::NodeKey key = nodes[absent_[host].asked % nodes.size()];
  const core::State& state = parts_.frontend.state();
  std::string sign = core::sign_of_life(state, parts_.reconciler.observed(), host);
  const auto where = socket_of(state, host, key);
  if (sign.empty() && where) {
    const bool answers = co_await parts_.probe.answers(where->address, where->port);
    sign = answers ? key.str() + " answers" : "";
  }
  Absence& absence = absent_[host];
  const Monotonic now = parts_.clock.monotonic();
  ++absence.asked;
  if (!sign.empty()) {
    absence.silent = now;
    absence.asked = 0;
    absence.note = fmt::format("only its agent is gone: {}", sign);
    co_return;
  }
  const Duration silent = now - absence.silent;
  if (silent < parts_.rebuild_after || absence.asked < nodes.size()) {
    absence.note = fmt::format("its engines are silent too; taken for dead in {}",
                               in_words(std::max(parts_.rebuild_after - silent, Duration())));
    co_return;
  }
  co_await rebuild(host);
}

Awaitable<void> HostWatch::rebuild(core::HostId host) {
  core::Rebuild plan;
  Frontend::Decision decision = [this, &plan, &host](const core::State& state,
                                                     core::AdmissionContext context) {
    // An agent that came back while we waited for our turn is not dead.
    plan = parts_.is_connected(host)
               ? core::Rebuild()
               : core::plan_rebuild(state, parts_.reconciler.observed(), host, context.now);
    return core::Admitted<core::Transition>(plan.transition);
  };
  const auto done = co_await parts_.frontend.submit(std::move(decision), parts_.term);
  Absence& absence = absent_[host];
  if (!done) {
    absence.note = "its nodes cannot be placed elsewhere: " + done.error().message;
    co_return;
  }
  for (const std::string& alarm : plan.alarms) {
    parts_.log.error(alarm);
  }
  if (!plan.transition.empty()) {
    parts_.log.error(
        fmt::format("host {} is taken for dead: its nodes are placed elsewhere", host.str()));
  }
  absence.note = plan.waits.empty() ? "taken for dead" : "taken for dead; " + plan.waits.front();
}

// The host stays cordoned: it was emptied for a reason.
Awaitable<void> HostWatch::end_drain(core::HostId host) {
  const core::State& state = parts_.frontend.state();
  const auto* known = state.find<core::Host>(host);
  if (known == nullptr || !known->draining) {
    co_return;
  }
  const bool empty = core::nodes_on(state, host).empty();
  const bool late = known->drain_until != Instant() && parts_.clock.now() >= known->drain_until;
  if (!empty && !late) {
    co_return;
  }
  core::DrainHost command{host, false, {}};
  co_await submit(std::move(command));
  parts_.log.info(fmt::format("host {} {}", host.str(),
                              empty ? "is drained" : "was not drained in time; its nodes stay"));
}

template <class Command>
Awaitable<void> HostWatch::submit(Command command) {
  Frontend::Decision decision = decision_on(std::move(command));
  // What fails is tried again with the next look.
  co_await parts_.frontend.submit(std::move(decision), parts_.term);
}

}  // namespace hikae::control
