#pragma once

#include <cstdint>
#include <string>

#include "base/random.h"
#include "base/time.h"

namespace hikae::sim {

// What may go wrong in a run, one bit each.
enum class Fault : std::uint32_t {
  kEngineCrash = 1,
  kEngineHang = 2,    // neither answers nor uses processor time
  kEngineBusy = 4,    // uses processor time and does not answer
  kEngineStop = 8,    // SIGSTOP, later SIGCONT
  kHostRestart = 16,  // every process of the host ends, and its agent
  kHostFreeze = 32,   // nothing of the host moves for a while
  kAgentRestart = 64,
  kControllerCrash = 128,
  kPartition = 256,  // no message between a host and the controller
  kLinkFaults = 512,
  kStoreFaults = 1024,
  kHostCut = 2048,  // no byte between a host and anything but clients
};

// A deliberate bug, put in where the code under test meets the world. A simulator that finds none
// of them proves nothing.
enum class Mutation {
  kNone,
  kPromoteWithoutFence,
  kIgnoreEpoch,
  kChooseLowestOffset,
  kFlipNameBeforeCommit,
  kAcceptEmptyPrimary,
  kUnderstateLoss,
  kClaimSnapshot,
  kPromoteBeforeLeaseEnds,
  kChooseWithoutQuorum,
  kLeadWhileFollowed,
};

// The shape of one run. Everything is drawn from the seed, and printed with a failure.
struct Options {
  std::uint64_t seed = 1;
  Mutation mutation = Mutation::kNone;
  int zones = 3;
  int groups = 1;
  int max_members = 3;
  unsigned failover_percent = 80;  // of groups that could have automatic failover
  bool private_hosts = true;
  bool operations = true;  // the API is used while faults happen
  // Primaries take writes by a lease, of this length; zero: without.
  Duration lease{};
  bool kept = false;                // engines have keepers in place of the module
  std::int64_t drift_permille = 0;  // most by which a host's clock is too fast or too slow
  // Clients count a write as done when so many replicas have confirmed it (WAIT), and groups have a
  // parameter group that promises to keep those; 0: neither.
  int confirmations = 0;
  bool calm = false;  // one primary crashes or stops at a time, all is quick and healthy otherwise
  std::uint32_t faults = 0;
  Duration safety_phase{};
  Duration fault_interval{};
  Duration store_latency{};
  Duration link_latency{};
  Duration replication_lag{};
  Duration full_resync{};
  Duration longest_dying{};  // between the death of a process and the closing of its sockets
  Duration write_interval{};
  std::uint64_t backlog_bytes = 0;
  unsigned store_fault_permille = 0;
  unsigned link_fault_permille = 0;

  bool has(Fault fault) const { return (faults & std::uint32_t(fault)) != 0; }
  std::string str() const;
};

Options draw_options(std::uint64_t seed, Random& random);

// The whole of `what` in words, as the command line has it; nullopt-like kNone for an unknown word.
Mutation mutation_named(std::string_view name);
std::string_view name_of(Mutation mutation);

// Uniform in [low, high].
Duration draw_between(Random& random, Duration low, Duration high);

}  // namespace hikae::sim
