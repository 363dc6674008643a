#pragma once

#include <string>

#include "sim/checker.h"
#include "sim/controller.h"
#include "sim/fleet.h"

namespace hikae::sim {

// A client of one replication group: writes numbered values one after another to wherever the
// primary's name leads, keeps its connection while it works, and asks for the name again after
// every error.
class Writer {
 public:
  Writer(Env env, Fleet& fleet, const SimZone& zone, const SimStore& store, Checker& checker,
         core::ReplicationGroupId group);

  void start() { later(env_.options.write_interval); }
  Monotonic last_acknowledged() const { return last_acknowledged_; }
  std::uint64_t written() const { return last_number_; }

 private:
  void later(Duration after);
  void turn();
  bool connect();
  void arrive(Pid pid, std::uint64_t number);
  // The write is done where it was taken. It counts once so many replicas have it.
  void wait(Pid pid, std::uint64_t number, History::Place place, int replicas);
  void answered(std::uint64_t number, History::Place place, bool confirmed);
  // 0 where the group has fewer replicas than have to confirm.
  int replicas_to_wait_for() const;
  void give_up(std::uint64_t number);
  void disconnect(const char* why);

  Env env_;
  Fleet& fleet_;
  const SimZone& zone_;
  const SimStore& store_;
  Checker& checker_;
  core::ReplicationGroupId group_;
  Pid connected_ = 0;
  std::uint64_t connection_ = 0;  // of the engine's clients when we connected
  std::uint64_t last_number_ = 0;
  std::uint64_t waits_for_ = 0;  // 0: no write is under way
  Monotonic last_acknowledged_;
};

}  // namespace hikae::sim
