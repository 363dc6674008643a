#include <array>
#include <csignal>
#include <vector>

#include "sim/world.h"

namespace hikae::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::array kInjected = {
    Fault::kEngineCrash,     Fault::kEngineHang, Fault::kEngineBusy,   Fault::kEngineStop,
    Fault::kHostRestart,     Fault::kHostFreeze, Fault::kAgentRestart, Fault::kPartition,
    Fault::kControllerCrash, Fault::kHostCut,
};

// Handlers between the decision to crash the controller and the crash: a coroutine's every await
// can be the last one.
constexpr std::uint64_t kLongestCountdown = 60;

}  // namespace

void World::fault_later() {
  const Duration pause = env_.draw(options_.fault_interval / 4, options_.fault_interval);
  timeline_.call(pause, [this] {
    if (faults_on_) {
      inject();
      fault_later();
    }
  });
}

void World::inject() {
  if (options_.confirmations > 0 && random_.percent(30)) {
    hit_group();
    return;
  }
  std::vector<Fault> enabled;
  for (const Fault fault : kInjected) {
    if (options_.has(fault)) {
      enabled.push_back(fault);
    }
  }
  if (enabled.empty()) {
    return;
  }
  const Fault fault = enabled[random_.below(enabled.size())];
  switch (fault) {
    case Fault::kEngineCrash:
    case Fault::kEngineHang:
    case Fault::kEngineBusy:
    case Fault::kEngineStop:
      hit_engine(fault);
      break;
    case Fault::kControllerCrash:
      crash_countdown_ = int(random_.below(kLongestCountdown));
      break;
    default:
      hit_host(fault);
  }
}

// Primaries are hit as often as all replicas together: they are where it hurts. In a calm run only
// they are, so that nobody else has a part in what comes of it.
Engine* World::pick_engine() {
  const bool primary = options_.calm || random_.percent(50);
  std::vector<Pid> some;
  for (const auto& [pid, engine] : fleet_.all()) {
    if (!engine.dying && (!primary || engine.role == core::Role::kPrimary)) {
      some.push_back(pid);
    }
  }
  return some.empty() ? nullptr : fleet_.find(some[random_.below(some.size())]);
}

World::HostSlot* World::pick_host() {
  std::vector<HostSlot*> some;
  for (auto& [id, host] : hosts_) {
    if (!host.down) {
      some.push_back(&host);
    }
  }
  return some.empty() ? nullptr : some[random_.below(some.size())];
}

void World::hit_engine(Fault fault) {
  Engine* engine = pick_engine();
  if (engine == nullptr) {
    return;
  }
  const Pid pid = engine->pid;
  if (fault == Fault::kEngineCrash) {
    trace_.line("fault", "{} of {} crashes", pid, engine->node.str());
    fleet_.kill(pid);
    return;
  }
  const auto pace = fault == Fault::kEngineHang   ? Engine::Pace::kHung
                    : fault == Fault::kEngineBusy ? Engine::Pace::kBusy
                                                  : Engine::Pace::kStopped;
  const bool long_one = random_.percent(30);
  const Duration time = env_.draw(milliseconds(10), long_one ? seconds(20) : seconds(3));
  trace_.line("fault", "{} of {} {} for {} us", pid, engine->node.str(),
              fault == Fault::kEngineHang   ? "hangs"
              : fault == Fault::kEngineBusy ? "is busy"
                                            : "is stopped",
              time.count());
  fleet_.set_pace(pid, pace);
  timeline_.call(time, [this, pid] { fleet_.set_pace(pid, Engine::Pace::kNormal); });
}

// What confirmed writes are promised against: a replica is out of reach, and then the primary's
// host loses its power.
void World::hit_group() {
  const auto id = pick_group();
  if (!id) {
    return;
  }
  const auto& node_group = store_.state().find<core::ReplicationGroup>(*id)->node_groups.front();
  std::vector<core::HostId> replicas;
  core::HostId leader;
  for (const core::CacheClusterId& member : node_group.members) {
    const auto* cluster = store_.state().find<core::CacheCluster>(member);
    if (cluster != nullptr && !cluster->nodes.empty() && !cluster->nodes[0].host.empty()) {
      const core::HostId& host = cluster->nodes[0].host;
      (member == node_group.primary ? leader : replicas.emplace_back()) = host;
    }
  }
  std::erase(replicas, leader);
  if (replicas.empty() || leader.empty()) {
    return;
  }
  const core::HostId deaf = replicas[random_.below(replicas.size())];
  const Duration time = env_.draw(milliseconds(500), seconds(4));
  trace_.line("fault", "{} is cut off for {} us, then {} loses its power", deaf.str(), time.count(),
              leader.str());
  network_.partition(deaf, Way::kBoth, timeline_.now() + time);
  const Duration after = env_.draw(milliseconds(1), milliseconds(300));
  timeline_.call(after, [this, leader] {
    if (HostSlot& host = hosts_.at(leader); faults_on_ && !host.down) {
      restart_host(host);
    }
  });
}

void World::hit_host(Fault fault) {
  HostSlot* host = pick_host();
  if (host == nullptr) {
    return;
  }
  const core::HostId id = host->disk.host;
  switch (fault) {
    case Fault::kHostRestart:
      restart_host(*host);
      break;
    case Fault::kHostFreeze:
      freeze_host(*host);
      break;
    case Fault::kAgentRestart:
      trace_.line("fault", "the agent of {} restarts", id.str());
      host->agent.reset();
      host->down = true;
      timeline_.call(env_.draw(milliseconds(1), seconds(2)), [this, id] {
        hosts_.at(id).down = false;
        start_agent(hosts_.at(id));
      });
      break;
    default: {
      const Duration time = env_.draw(milliseconds(50), seconds(4));
      cut_host(id, fault == Fault::kHostCut, time);
    }
  }
}

// In a quarter of the cuts each it hears nobody, or nobody hears it.
void World::cut_host(const core::HostId& id, bool from_hosts_too, Duration time) {
  constexpr std::array kWays = {Way::kBoth, Way::kBoth, Way::kIn, Way::kOut};
  const Way way = kWays[std::size_t(time.count()) % kWays.size()];
  trace_.line("fault", "{} {} {} for {} us", id.str(),
              way == Way::kBoth ? "hears nothing and is not heard"
              : way == Way::kIn ? "hears nothing"
                                : "is not heard",
              from_hosts_too ? "(of all hosts)" : "(of the controller)", time.count());
  network_.partition(id, way, timeline_.now() + time);
  if (from_hosts_too) {
    fleet_.cut(id, way, timeline_.now() + time);
  }
}

void World::restart_host(HostSlot& host) {
  const core::HostId id = host.disk.host;
  trace_.line("fault", "host {} restarts", id.str());
  host.agent.reset();
  host.down = true;
  fleet_.lose_host(id);
  const Duration down = env_.draw(milliseconds(100), seconds(4));
  timeline_.call(down, [this, id] {
    hosts_.at(id).down = false;
    start_agent(hosts_.at(id));
  });
}

void World::freeze_host(HostSlot& host) {
  const core::HostId id = host.disk.host;
  const Duration time = env_.draw(milliseconds(50), seconds(4));
  trace_.line("fault", "host {} freezes for {} us", id.str(), time.count());
  timeline_.freeze(host.agent->realm(), timeline_.now() + time);
  std::vector<Pid> stopped;
  for (const auto& [pid, engine] : fleet_.all()) {
    if (engine.host == id && engine.pace == Engine::Pace::kNormal) {
      stopped.push_back(pid);
    }
  }
  for (const Pid pid : stopped) {
    fleet_.set_pace(pid, Engine::Pace::kStopped);
  }
  timeline_.call(time, [this, stopped] {
    for (const Pid pid : stopped) {
      fleet_.set_pace(pid, Engine::Pace::kNormal);
    }
  });
}

// What was begun ends by itself soon after; an engine that hangs would do so for ever.
void World::stop_faults() {
  trace_.line("world", "no more faults");
  faults_on_ = false;
  crash_countdown_.reset();
  store_.stop_faults();
  network_.stop_faults();
  std::vector<Pid> all;
  for (const auto& [pid, engine] : fleet_.all()) {
    all.push_back(pid);
  }
  for (const Pid pid : all) {
    fleet_.set_pace(pid, Engine::Pace::kNormal);
  }
  rest_began_ = timeline_.now();
}

}  // namespace hikae::sim
