#include "sim/world.h"

#include <fmt/format.h>

namespace hikae::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// More handlers at one moment than any healthy run needs.
constexpr int kMostHandlersPerMoment = 200'000;

}  // namespace

World::World(const Options& options, bool print)
    : options_(options),
      random_(options.seed ^ 0x6a09e667f3bcc909),
      trace_(timeline_, print),
      env_{random_, timeline_, trace_, options_},
      fleet_(env_),
      store_(env_),
      network_(env_),
      checker_(env_, fleet_, store_, shelf_) {
  fleet_.set_observer(&checker_);
  store_.set_observer(&checker_);
  network_.on_delivery = [this](const core::Assignment& assignment) {
    checker_.on_delivery(assignment);
  };
  network_.on_report = [this](const core::HostReport& report) { checker_.on_report(report); };
  install_mutation();
  zone_.set_observer([this](const core::NameRecord& record) { checker_.on_publish(record); });
}

World::~World() {
  fleet_.set_observer(nullptr);
  controller_.reset();
  for (auto& [id, host] : hosts_) {
    host.agent.reset();
  }
}

Outcome World::run() {
  start_controller();
  create_groups();
  fault_later();
  call_later();
  const Monotonic safety_ends = timeline_.now() + options_.safety_phase;
  while (timeline_.now() < safety_ends && !checker_.violation() && turn()) {
  }
  stop_faults();
  come_to_rest();
  Outcome out;
  out.violation = checker_.violation();
  out.snapshots = checker_.snapshots();
  out.hash = trace_.hash();
  out.steps = timeline_.steps();
  out.acknowledged = checker_.acknowledged();
  out.excused = checker_.excused();
  out.takeovers = checker_.takeovers();
  out.simulated = timeline_.now() - Monotonic(0);
  return out;
}

bool World::turn() {
  settle();
  checker_.check();
  return timeline_.step();
}

void World::settle() {
  int handlers = 0;
  while (run_ready_handlers()) {
    if (++handlers > kMostHandlersPerMoment) {
      checker_.fail("the control floor spins without time passing");
      return;
    }
  }
}

bool World::run_ready_handlers() {
  if (controller_ && controller_->run_one()) {
    if (crash_countdown_ && --*crash_countdown_ <= 0) {
      crash_controller();
    }
    if (controller_ && controller_->failed()) {
      crash_controller();
    }
    meet_hosts();
    return true;
  }
  for (auto& [id, host] : hosts_) {
    if (host.agent && host.agent->run_one()) {
      return true;
    }
  }
  return false;
}

void World::start_controller() {
  crash_countdown_.reset();
  controller_ = std::make_unique<Controller>(env_, store_, network_, zone_, ++incarnations_);
  controller_->on_failover([this](const control::Reconciler::CommittedFailover& failover) {
    checker_.on_failover(failover);
  });
  controller_->on_kept_report(
      [this](const control::FailoverReport& report) { checker_.on_kept_report(report); });
  controller_->start();
}

void World::crash_controller() {
  crash_countdown_.reset();
  if (!controller_) {
    return;
  }
  trace_.line("fault", "the controller crashes");
  controller_.reset();
  const Duration down = env_.draw(milliseconds(1), faults_on_ ? seconds(1) : milliseconds(50));
  timeline_.call(down, [this] { start_controller(); });
}

void World::start_agent(HostSlot& host) {
  host.agent =
      std::make_unique<AgentShell>(env_, fleet_, network_, host.disk, shelf_, ++host.incarnations);
  host.agent->start();
}

// Hosts stand in the state from the first start on; their agents start when they are known.
void World::meet_hosts() {
  if (!hosts_.empty()) {
    return;
  }
  for (const auto& [id, host] : store_.state().all<core::Host>()) {
    HostSlot& slot = hosts_[id];
    slot.disk.host = id;
    const std::int64_t most = options_.drift_permille;
    slot.disk.drift_permille =
        most == 0 ? 0 : std::int64_t(random_.below(std::uint64_t(2 * most + 1))) - most;
    start_agent(slot);
  }
}

}  // namespace hikae::sim
