#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/agent_shell.h"
#include "sim/checker.h"
#include "sim/controller.h"
#include "sim/fleet.h"
#include "sim/network.h"
#include "sim/store.h"
#include "sim/writer.h"

namespace hikae::sim {

struct Outcome {
  std::optional<std::string> violation;
  int snapshots = 0;  // taken
  std::uint64_t hash = 0;
  std::uint64_t steps = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t excused = 0;
  std::uint64_t takeovers = 0;
  Duration simulated{};
};

// One run: the real control floor on a simulated world. First faults and API calls as the seed says
// (safety phase), then none, and everything must come to rest within a bound (liveness phase).
class World {
 public:
  World(const Options& options, bool print);
  ~World();

  Outcome run();

 private:
  struct HostSlot {
    Disk disk;
    std::unique_ptr<AgentShell> agent;
    int incarnations = 0;
    bool down = false;
  };

  // Runs all that can happen without time passing, then the next event.
  bool turn();
  void settle();
  bool run_ready_handlers();
  void start_controller();
  void crash_controller();
  void start_agent(HostSlot& host);
  void meet_hosts();

  // Nemesis (nemesis.cc).
  void fault_later();
  void inject();
  void hit_engine(Fault fault);
  void hit_host(Fault fault);
  void cut_host(const core::HostId& id, bool from_hosts_too, Duration time);
  void hit_group();
  Engine* pick_engine();
  HostSlot* pick_host();
  void restart_host(HostSlot& host);
  void freeze_host(HostSlot& host);
  void stop_faults();

  // API calls (workload.cc).
  void create_groups();
  void call_later();
  void call_api();
  template <class Command>
  void submit(std::string what, Command command);
  void create_group();
  void make_promise();
  int promised() const;
  bool promise_is_made() const;
  void promise(int confirmations);
  void switch_over(const core::ReplicationGroupId& id);
  void modify(const core::ReplicationGroupId& id);
  void change_replica_count(const core::ReplicationGroupId& id);
  void take_snapshot();
  std::optional<core::CacheClusterId> pick_cluster();
  std::optional<core::ReplicationGroupId> pick_group();

  // Deliberate bugs (mutation.cc).
  void install_mutation();
  void publish_early(const core::Transition& transition);

  // Liveness (liveness.cc). Why the world is not at rest yet, or nullopt.
  std::optional<std::string> unrest();
  std::optional<std::string> unrest_of(const core::ReplicationGroup& group);
  std::optional<std::string> unrest_of(const core::CacheCluster& cluster, core::Role role);
  std::optional<std::string> leftovers();
  void come_to_rest();
  // Groups that wait for confirmed writes whose copies are gone are told to go on without them.
  void give_up_promise();

  Options options_;
  SeededRandom random_;
  Timeline timeline_;
  Trace trace_;
  Env env_;
  Fleet fleet_;
  SimStore store_;
  Network network_;
  SimZone zone_;
  Shelf shelf_;
  Checker checker_;
  std::map<core::HostId, HostSlot> hosts_;
  std::unique_ptr<Controller> controller_;
  std::map<core::ReplicationGroupId, std::unique_ptr<Writer>> writers_;
  int incarnations_ = 0;
  int groups_made_ = 0;
  int clusters_made_ = 0;
  int snapshots_made_ = 0;
  // Handlers of the controller until it crashes between two of them.
  std::optional<int> crash_countdown_;
  bool faults_on_ = true;
  Monotonic rest_began_;
  bool gave_up_ = false;
};

}  // namespace hikae::sim
