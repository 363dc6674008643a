#include "sim/options.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "core/failover/lease.h"

namespace hikae::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::array<std::pair<Mutation, std::string_view>, 11> kMutations = {{
    {Mutation::kNone, "none"},
    {Mutation::kPromoteWithoutFence, "promote-without-fence"},
    {Mutation::kIgnoreEpoch, "ignore-epoch"},
    {Mutation::kChooseLowestOffset, "choose-lowest-offset"},
    {Mutation::kFlipNameBeforeCommit, "flip-name-before-commit"},
    {Mutation::kAcceptEmptyPrimary, "accept-empty-primary"},
    {Mutation::kUnderstateLoss, "understate-loss"},
    {Mutation::kClaimSnapshot, "claim-snapshot"},
    {Mutation::kLeadWhileFollowed, "lead-while-followed"},
    {Mutation::kPromoteBeforeLeaseEnds, "promote-before-lease-ends"},
    {Mutation::kChooseWithoutQuorum, "choose-without-quorum"},
}};

constexpr std::array<std::pair<Fault, std::string_view>, 11> kFaults = {{
    {Fault::kEngineCrash, "crash"},
    {Fault::kEngineHang, "hang"},
    {Fault::kEngineBusy, "busy"},
    {Fault::kEngineStop, "stop"},
    {Fault::kHostRestart, "host-restart"},
    {Fault::kHostFreeze, "host-freeze"},
    {Fault::kAgentRestart, "agent-restart"},
    {Fault::kControllerCrash, "controller-crash"},
    {Fault::kPartition, "partition"},
    {Fault::kLinkFaults, "link"},
    {Fault::kStoreFaults, "store"},
}};
// Drawn beside the others, and only where there are leases.
constexpr std::pair<Fault, std::string_view> kCut = {Fault::kHostCut, "cut"};

}  // namespace

Duration draw_between(Random& random, Duration low, Duration high) {
  return low + Duration(std::int64_t(random.below(std::uint64_t((high - low).count()) + 1)));
}

Options draw_options(std::uint64_t seed, Random& random) {
  Options out;
  out.seed = seed;
  out.zones = 1 + int(random.below(3));
  out.groups = 1 + int(random.below(2));
  out.max_members = 2 + int(random.below(3));
  out.failover_percent = random.percent(80) ? 90 : 0;
  out.private_hosts = random.percent(70);
  out.operations = random.percent(60);
  // Each kind is in about half of the runs: some runs have one kind alone, few have all.
  for (const auto& [fault, name] : kFaults) {
    if (random.percent(45)) {
      out.faults |= std::uint32_t(fault);
    }
  }
  out.calm = random.percent(15);
  out.safety_phase = draw_between(random, milliseconds(1500), seconds(5));
  out.fault_interval = draw_between(random, milliseconds(60), milliseconds(1200));
  out.store_latency = draw_between(random, microseconds(50), milliseconds(20));
  out.link_latency = draw_between(random, microseconds(20), milliseconds(10));
  out.replication_lag = draw_between(random, microseconds(20), milliseconds(5));
  out.full_resync = draw_between(random, milliseconds(5), milliseconds(400));
  out.longest_dying = draw_between(random, milliseconds(1), milliseconds(300));
  out.write_interval = draw_between(random, milliseconds(5), milliseconds(40));
  out.backlog_bytes = random.percent(80) ? 1 << 20 : 2000;
  out.store_fault_permille = out.has(Fault::kStoreFaults) ? unsigned(random.below(200)) : 0;
  out.link_fault_permille = out.has(Fault::kLinkFaults) ? unsigned(random.below(200)) : 0;
  if (out.calm) {
    out.faults = std::uint32_t(random.percent(50) ? Fault::kEngineCrash : Fault::kEngineStop);
    out.operations = false;
    out.fault_interval = draw_between(random, milliseconds(1500), milliseconds(2500));
    out.store_latency = milliseconds(2);
    out.link_latency = microseconds(200);
    // Long, so that the replicas differ when their primary dies.
    out.replication_lag = draw_between(random, milliseconds(1), milliseconds(200));
    out.store_fault_permille = out.link_fault_permille = 0;
  } else if (random.percent(40)) {
    out.lease = draw_between(random, milliseconds(200), milliseconds(1500));
    out.drift_permille = std::int64_t(random.below(5));
    out.faults |= random.percent(70) ? std::uint32_t(Fault::kHostCut) : 0;
    out.safety_phase += out.lease * 3;
  }
  // Not drawn, so that runs without it are what they were before there was such a thing.
  if (!out.calm && seed % 4 == 1) {
    out.max_members = 4;
    out.failover_percent = 90;
    out.confirmations = seed % 12 == 1 ? 2 : 1;
    out.zones = 3;
    // Long, so that the replicas differ when their primary dies.
    out.replication_lag = milliseconds(20 + std::int64_t(seed % 80));
    out.safety_phase += seconds(3);
  }
  out.kept = out.lease > Duration() && seed % 3 == 2;
  // A new leader takes nobody for silent before that.
  out.safety_phase += out.lease > Duration() ? core::kLeaseHandover : Duration();
  return out;
}

std::string Options::str() const {
  std::string kinds;
  for (const auto& [fault, name] : kFaults) {
    if (has(fault)) {
      kinds += kinds.empty() ? "" : "+";
      kinds += name;
    }
  }
  if (has(kCut.first)) {
    kinds += kinds.empty() ? "" : "+";
    kinds += kCut.second;
  }
  return fmt::format(
      "seed={} zones={} groups={} max_members={} failover={}% private_hosts={} operations={} "
      "calm={} faults={} every<{}us for {}us store<{}us(fault {}/1000) link<{}us(fault {}/1000) "
      "lag<{}us resync<{}us dying<{}us write_every={}us backlog={} lease={}us kept={} "
      "drift<{}/1000 "
      "confirmations={} mutation={}",
      seed, zones, groups, max_members, failover_percent, private_hosts, operations, calm,
      kinds.empty() ? "none" : kinds, fault_interval.count(), safety_phase.count(),
      store_latency.count(), store_fault_permille, link_latency.count(), link_fault_permille,
      replication_lag.count(), full_resync.count(), longest_dying.count(), write_interval.count(),
      backlog_bytes, lease.count(), kept, drift_permille, confirmations, name_of(mutation));
}

Mutation mutation_named(std::string_view name) {
  for (const auto& [mutation, known] : kMutations) {
    if (known == name) {
      return mutation;
    }
  }
  return Mutation::kNone;
}

std::string_view name_of(Mutation mutation) {
  for (const auto& [known, name] : kMutations) {
    if (known == mutation) {
      return name;
    }
  }
  return "";
}

}  // namespace hikae::sim
