#include "sim/controller.h"

#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <fmt/format.h>

#include "core/admission/region.h"

namespace hikae::sim {

namespace {

constexpr Duration kLookEvery = std::chrono::milliseconds(20);
constexpr Duration kSlowestDisk = std::chrono::milliseconds(50);

}  // namespace

using control::Awaitable;

void SimZone::publish(std::vector<core::NameRecord> upserts, std::vector<std::string> removed) {
  for (const std::string& name : removed) {
    records_.erase(name);
  }
  for (core::NameRecord& record : upserts) {
    records_.insert_or_assign(record.name, record);
  }
  for (const core::NameRecord& record : upserts) {
    if (observer_) {
      observer_(record);
    }
  }
}

std::optional<Ipv4> SimZone::resolve(const std::string& name) const {
  auto it = records_.find(name);
  for (int hops = 0; it != records_.end() && hops < 3; ++hops) {
    const core::NameRecord& record = it->second;
    if (!record.addresses.empty()) {
      return record.addresses.front();
    }
    it = record.targets.empty() ? records_.end() : records_.find(record.targets.front());
  }
  return std::nullopt;
}

Awaitable<void> SimReports::keep(control::FailoverReport report) {
  const Duration time = env_.draw(Duration(), kSlowestDisk);
  co_await clock_.sleep_until(clock_.monotonic() + time);
  if (observer_) {
    observer_(report);
  }
}

Controller::Controller(Env env, SimStore& store, Network& network, SimZone& zone, int incarnation)
    : env_(env),
      network_(network),
      zone_(zone),
      realm_(env.timeline.new_realm()),
      clock_(env.timeline, realm_),
      log_(env.trace, fmt::format("control-{}", incarnation)),
      work_(boost::asio::make_work_guard(context_)),
      store_(store, realm_),
      frontend_(context_.get_executor(), store_, clock_, env.random, log_),
      names_(zone),
      reconciler_(context_.get_executor(), frontend_, network, clock_, log_),
      reports_(env, clock_),
      recorder_(context_.get_executor(), frontend_, reconciler_, clock_, log_, reports_) {
  if (env.options.lease > Duration()) {
    leases_.emplace(control::LeaseWatch::Parts{context_.get_executor(), frontend_, reconciler_,
                                               nullptr, env.options.lease, clock_});
  }
}

Controller::~Controller() {
  log_.end();
  network_.disconnect_controller();
  zone_.clear();
  env_.timeline.drop(realm_);
}

void Controller::start() {
  boost::asio::co_spawn(context_, run(), boost::asio::detached);
}

bool Controller::run_one() {
  return context_.poll_one() > 0;
}

Awaitable<void> Controller::run() {
  auto opened = co_await frontend_.open();
  if (opened && frontend_.state().revision() == core::Revision(0)) {
    opened = co_await create_region();
  }
  if (opened && leases_) {
    opened = co_await fence_hosts();
  }
  if (!opened) {
    failed_ = true;
    co_return;
  }
  names_.publish_all(frontend_.state());
  frontend_.observe([this](const core::State& after, const core::Transition& transition) {
    names_.on_transition(after, transition);
  });
  network_.connect_controller(
      realm_, [this](core::HostReport report) { reconciler_.on_report(std::move(report)); },
      [this](const core::HostId& host) { return leases_ ? leases_->grant(host) : std::nullopt; });
  recorder_.take_over();
  reconciler_.start();
  open_ = true;
  if (leases_) {
    watch_leases();
  }
}

// Its own coroutine may not be destroyed half-way, as a crash would do it.
void Controller::watch_leases() {
  leases_->look();
  env_.timeline.call(kLookEvery, [this] { watch_leases(); }, realm_);
}

// What their agents would tell when they join.
Awaitable<Status> Controller::fence_hosts() {
  control::Frontend::Decision decision = [](const core::State& state, core::AdmissionContext) {
    core::Transition out;
    for (const auto& [id, host] : state.all<core::Host>()) {
      if (!host.fences) {
        core::Host able = host;
        able.fences = true;
        out.put(std::move(able));
      }
    }
    return core::Admitted<core::Transition>(std::move(out));
  };
  const auto made = co_await frontend_.submit(std::move(decision));
  if (!made) {
    co_return fail(ErrorCode::kUnavailable, made.error().message);
  }
  co_return Status();
}

Awaitable<Status> Controller::create_region() {
  core::CreateRegion command;
  command.name = "ap-northeast-1";
  command.account_id = "123456789012";
  command.endpoint_hash = "abcdef";
  command.domain = "cache.hikae.internal";
  for (int zone = 0; zone < env_.options.zones; ++zone) {
    command.zones.emplace_back(fmt::format("{}{}", command.name, char('a' + zone)));
  }
  control::Frontend::Decision decision = [command](const core::State&,
                                                   core::AdmissionContext context) {
    return core::initial_region(command, context);
  };
  const auto made = co_await frontend_.submit(std::move(decision));
  if (!made) {
    co_return fail(ErrorCode::kUnavailable, made.error().message);
  }
  co_return Status();
}

void Controller::submit(std::string what, control::Frontend::Decision decision) {
  boost::asio::co_spawn(context_, perform(std::move(what), std::move(decision)),
                        boost::asio::detached);
}

Awaitable<void> Controller::perform(std::string what, control::Frontend::Decision decision) {
  env_.trace.line("api", "{}", what);
  const auto answer = co_await frontend_.submit(std::move(decision));
  if (answer) {
    env_.trace.line("api", "{}: done at revision {}", what, answer->value());
  } else {
    env_.trace.line("api", "{}: {} ({})", what, answer.error().code, answer.error().message);
  }
}

}  // namespace hikae::sim
