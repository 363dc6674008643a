#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/agent_shell.h"
#include "sim/controller.h"
#include "sim/fleet.h"
#include "sim/network.h"
#include "sim/store.h"

namespace hikae::sim {

// One large region, to see what it costs: groups of three with leases on many hosts. First it is
// made, then it is left alone, then a zone is lost. Prints figures; checks no promises, since the
// seeds do that.
class Scale {
 public:
  struct Size {
    int nodes = 10'000;
    int hosts = 300;
    Duration idle = std::chrono::seconds(10);
  };
  explicit Scale(Size size);
  ~Scale();

  // False: something did not come to rest.
  bool run();

 private:
  struct Slot {
    Disk disk;
    std::unique_ptr<AgentShell> agent;
  };
  // What happened since it was begun.
  struct Tally {
    std::uint64_t commits = 0, assignments = 0, reports = 0, grants = 0, changes = 0;
    Monotonic began;
    double leader_seconds = 0;  // of a processor
  };

  // Until it holds, looked at every 10 simulated ms, or `bound` is over.
  template <class Condition>
  bool drive(Duration bound, Condition condition);
  void turn();
  bool start();
  bool make_groups();
  bool outlive_zone();
  void rest(const char* what);
  void add_hosts();
  void add_groups();
  void submit_groups(int first, int last);
  void begin_tally() { tally_ = {.began = env_.timeline.now()}; }
  void print_tally(const char* what) const;
  bool all_available() const;
  void lose_zone(char zone);
  // Groups that are led from a host that is there, by an engine that takes writes.
  int groups_with_primary();

  Size size_;
  Options options_;
  SeededRandom random_{1};
  Timeline timeline_;
  Trace trace_{timeline_, false};
  Env env_{random_, timeline_, trace_, options_};
  Fleet fleet_{env_};
  SimStore store_{env_};
  Network network_{env_};
  SimZone zone_;
  Shelf shelf_;
  std::map<core::HostId, Slot> hosts_;
  std::map<Realm, AgentShell*> agents_;
  std::unique_ptr<Controller> controller_;
  core::State bare_;  // before there were groups
  double empty_ = 0;  // bytes that were allocated then
  Tally tally_;
};

}  // namespace hikae::sim
