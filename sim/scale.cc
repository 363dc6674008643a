#include "sim/scale.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <malloc.h>
#include <utility>

#include <fmt/format.h>

#include "core/admission/replication_group.h"

namespace hikae::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kMembers = 3;
constexpr int kGroupsPerCall = 50;
constexpr Duration kLookEvery = milliseconds(10);
constexpr double kMega = 1024.0 * 1024.0;

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return double(now.tv_sec) + double(now.tv_nsec) / 1e9;
}

double seconds_of(Duration time) {
  return std::chrono::duration<double>(time).count();
}

double allocated() {
  return double(mallinfo2().uordblks);
}

Options options_of() {
  Options out;
  out.lease = seconds(1);
  out.calm = true;
  out.store_latency = milliseconds(5);
  out.link_latency = milliseconds(1);
  out.replication_lag = milliseconds(1);
  out.full_resync = milliseconds(50);
  out.longest_dying = milliseconds(5);
  out.backlog_bytes = 1 << 20;
  return out;
}

}  // namespace

Scale::Scale(Size size) : size_(size), options_(options_of()) {
  store_.set_asked([this](const core::Transition& transition) {
    ++tally_.commits;
    tally_.changes += transition.changes.size();
  });
  store_.stop_faults();
  network_.stop_faults();
  network_.on_delivery = [this](const core::Assignment&) { ++tally_.assignments; };
  network_.on_report = [this](const core::HostReport&) { ++tally_.reports; };
  network_.distort_grant = [this](control::LeaseGrant&) { ++tally_.grants; };
}

Scale::~Scale() {
  controller_.reset();
  hosts_.clear();
}

// One event and what follows from it. Whose event it is says who may have something to do.
void Scale::turn() {
  const double before = processor_seconds();
  timeline_.step();
  const Realm realm = timeline_.last_realm();
  const auto agent = agents_.find(realm);
  if (agent != agents_.end()) {
    while (agent->second->run_one()) {
    }
  } else if (realm == controller_->realm()) {
    while (controller_->run_one()) {
    }
    tally_.leader_seconds += processor_seconds() - before;
  }
}

template <class Condition>
bool Scale::drive(Duration bound, Condition condition) {
  const Monotonic end = timeline_.now() + bound;
  Monotonic look = timeline_.now();
  while (timeline_.now() < end) {
    turn();
    if (timeline_.now() >= look) {
      if (condition()) {
        return true;
      }
      look = timeline_.now() + kLookEvery;
    }
  }
  return condition();
}

// In place of the one host that each zone of a single machine has.
void Scale::add_hosts() {
  const int each = size_.hosts / 3;
  controller_->submit("hosts", [each](const core::State& state, core::AdmissionContext) {
    core::Transition out;
    for (const auto& [id, host] : state.all<core::Host>()) {
      core::Host none = host;
      none.cordoned = true;
      out.put(std::move(none));
      for (int i = 1; i <= each; ++i) {
        core::Host one = host;
        one.id = core::HostId(fmt::format("{}-{:03}", host.zone.str(), i));
        one.fences = true;
        out.put(std::move(one));
      }
    }
    return core::Admitted<core::Transition>(std::move(out));
  });
  while (controller_->run_one()) {
  }
}

// Decided on a state without groups: a region's quota of nodes is far below what is made here.
void Scale::submit_groups(int first, int last) {
  controller_->submit(
      "groups", [this, first, last](const core::State&, core::AdmissionContext context) {
        core::Transition out;
        for (int i = first; i < last; ++i) {
          core::CreateReplicationGroup command;
          command.id = fmt::format("g{:05}", i);
          command.description = "one of many";
          command.num_cache_clusters = kMembers;
          command.automatic_failover = true;
          command.settings.engine_version = "7.1";
          command.settings.node_type = "cache.m5.large";
          auto admitted = core::admit(bare_, command, context);
          if (!admitted) {
            return core::Admitted<core::Transition>(tl::unexpected(admitted.error()));
          }
          out.append(std::move(*admitted));
        }
        return core::Admitted<core::Transition>(std::move(out));
      });
  while (controller_->run_one()) {
  }
}

bool Scale::all_available() const {
  const auto& groups = store_.state().all<core::ReplicationGroup>();
  const auto& clusters = store_.state().all<core::CacheCluster>();
  return std::all_of(groups.begin(), groups.end(),
                     [](const auto& one) { return one.second.status == "available"; }) &&
         std::all_of(clusters.begin(), clusters.end(),
                     [](const auto& one) { return one.second.status == "available"; });
}

void Scale::add_groups() {
  const int groups = size_.nodes / kMembers;
  for (int i = 0; i < groups; i += kGroupsPerCall) {
    submit_groups(i, std::min(groups, i + kGroupsPerCall));
    drive(milliseconds(50), [] { return false; });
  }
}

int Scale::groups_with_primary() {
  int found = 0;
  for (const auto& [id, group] : store_.state().all<core::ReplicationGroup>()) {
    const auto* primary = store_.state().find<core::CacheCluster>(group.node_groups[0].primary);
    const Engine* engine =
        primary == nullptr ? nullptr : fleet_.find_node({primary->id, primary->nodes[0].id});
    found += engine != nullptr && engine->writable(timeline_.now()) ? 1 : 0;
  }
  return found;
}

void Scale::lose_zone(char zone) {
  for (auto& [id, slot] : hosts_) {
    if (slot.disk.host.str().find(fmt::format("1{}-", zone)) != std::string::npos) {
      agents_.erase(slot.agent->realm());
      slot.agent.reset();
      fleet_.lose_host(id);
    }
  }
}

void Scale::print_tally(const char* what) const {
  const double time = seconds_of(timeline_.now() - tally_.began);
  fmt::print(
      "{}: {:.1f} s; a second {:.1f} commits with {:.1f} changes, {:.1f} assignments, {:.1f} "
      "reports, {:.1f} leases; the leader's processor {:.1f} % of the time ({:.2f} s)\n",
      what, time, double(tally_.commits) / time, double(tally_.changes) / time,
      double(tally_.assignments) / time, double(tally_.reports) / time,
      double(tally_.grants) / time, 100 * tally_.leader_seconds / time, tally_.leader_seconds);
  std::fflush(stdout);
}

bool Scale::start() {
  controller_ = std::make_unique<Controller>(env_, store_, network_, zone_, 1);
  controller_->start();
  while (controller_->run_one()) {
  }
  if (!drive(seconds(10), [this] { return controller_->open(); })) {
    return false;
  }
  add_hosts();
  drive(seconds(1), [] { return false; });
  bare_ = store_.state();
  empty_ = allocated();
  for (const auto& [id, host] : store_.state().all<core::Host>()) {
    Slot& slot = hosts_[id];
    slot.disk.host = id;
    slot.agent = std::make_unique<AgentShell>(env_, fleet_, network_, slot.disk, shelf_, 1);
    slot.agent->start();
    agents_[slot.agent->realm()] = slot.agent.get();
    while (slot.agent->run_one()) {
    }
  }
  return true;
}

bool Scale::make_groups() {
  begin_tally();
  add_groups();
  const int groups = size_.nodes / kMembers;
  if (!drive(seconds(600),
             [this, groups] { return all_available() && groups_with_primary() == groups; })) {
    fmt::print("the groups did not become available\n");
    return false;
  }
  print_tally(fmt::format("{} groups made on {} hosts", groups, size_.hosts).c_str());
  return true;
}

void Scale::rest(const char* what) {
  drive(seconds(10), [] { return false; });
  begin_tally();
  drive(size_.idle, [] { return false; });
  print_tally(what);
}

bool Scale::outlive_zone() {
  const int groups = size_.nodes / kMembers;
  begin_tally();
  const Monotonic lost = timeline_.now();
  lose_zone('a');
  const int before = groups_with_primary();
  for (const int percent : {50, 90, 99, 100}) {
    const int wanted = before + (groups - before) * percent / 100;
    if (!drive(seconds(120), [&] { return groups_with_primary() >= wanted; })) {
      fmt::print("the groups did not get primaries\n");
      return false;
    }
    fmt::print("a zone lost: {} of {} primaries replaced after {:.0f} ms\n", wanted - before,
               groups - before, 1000 * seconds_of(timeline_.now() - lost));
  }
  print_tally("zone loss");
  return true;
}

bool Scale::run() {
  if (!start() || !make_groups()) {
    return false;
  }
  rest("idle");
  fmt::print("allocated: {:.0f} MiB for the leader's state, {} agents and their engines\n",
             (allocated() - empty_) / kMega, hosts_.size());
  if (!outlive_zone()) {
    return false;
  }
  rest("idle without the zone");
  const double with_agents = allocated();
  agents_.clear();
  hosts_.clear();
  fmt::print("allocated: {:.0f} MiB for the agents\n", (with_agents - allocated()) / kMega);
  return true;
}

}  // namespace hikae::sim
