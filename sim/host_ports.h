#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/ports.h"
#include "sim/fleet.h"

namespace hikae::sim {

// What a host keeps when its agent, or all of it, restarts.
struct Disk {
  struct Directory {
    std::map<std::string, std::string> files;
    Pid pid = 0;                         // of the newest process started in it
    std::optional<History::Place> data;  // saved for the next start
    std::optional<History::Place> dump;  // saved beside serving, for a snapshot
  };
  core::HostId host;
  std::map<core::NodeKey, Directory> nodes;
  // Shared with the engines, and as lasting as their host's uptime.
  std::map<core::NodeKey, control::FenceLeases::Lease> leases;
  std::map<core::NodeKey, control::FenceLeases::Fence> fences;
  std::int64_t drift_permille = 0;  // of the host's clock
};

// One agent incarnation's hands: its processes and its connections to engines. After end() every
// call fails at once and changes nothing, whatever coroutines are still around.
class HostPorts final : public control::ProcessRunner, public control::EngineDriver {
 public:
  HostPorts(Env env, Fleet& fleet, Disk& disk, Realm realm)
      : env_(env), fleet_(fleet), disk_(disk), realm_(realm) {}
  void end() { ended_ = true; }
  bool ended() const { return ended_; }

  control::Awaitable<void> pass(Duration shortest, Duration longest);
  // The node's process, once it answers; an error after as long as a real client would wait.
  control::Awaitable<Result<Pid>> reach(core::NodeKey node);

  // ProcessRunner
  control::Awaitable<Result<std::vector<control::FoundNode>>> find_all() override;
  control::Awaitable<Result<control::Process>> start(control::LaunchSpec spec) override;
  control::Awaitable<void> wait_exit(control::Process process) override;
  Status signal(control::Process process, int signal_number) override;
  Result<control::ProcessProbe> probe(control::Process process) override;
  bool has_no_memory(control::Process process) override;
  void prefer(control::Process, bool) override {}  // simulated engines do not share processors
  control::Awaitable<Status> reset_sockets(control::SocketReset reset) override;
  bool socket_resets_supported() const override { return true; }
  Status update_hosts(core::NodeKey node, std::string content) override;
  bool private_hosts_supported() const override { return env_.options.private_hosts; }
  Status write_note(core::NodeKey node, std::string name, std::string content) override;
  std::optional<std::string> read_note(core::NodeKey node, std::string name) const override;
  std::uint64_t stored_bytes(core::NodeKey, std::vector<std::string>) const override { return 0; }
  control::Awaitable<Status> remove(core::NodeKey node) override;
  std::string path(core::NodeKey node, std::string_view name) const override;

  // EngineDriver
  Result<control::LaunchSpec> launch_spec(const core::NodeAssignment& assignment) override;
  std::vector<std::string> data_files(const core::NodeAssignment&) const override { return {}; }
  control::Awaitable<Result<control::EngineStatus>> inspect(
      core::NodeAssignment assignment) override;
  control::Awaitable<Status> follow(core::NodeAssignment assignment) override;
  control::Awaitable<Status> demote(core::NodeAssignment assignment) override;
  control::Awaitable<Status> promote(core::NodeAssignment assignment) override;
  control::Awaitable<Status> apply_directives(core::NodeAssignment assignment,
                                              std::map<std::string, std::string> changed) override;
  control::Awaitable<Status> apply_access(core::NodeAssignment assignment) override;
  control::Awaitable<Result<std::uint64_t>> pause_writes(core::NodeAssignment assignment,
                                                         Duration bound) override;
  control::Awaitable<Status> resume_writes(core::NodeAssignment assignment) override;
  control::Awaitable<Status> save_and_end(core::NodeAssignment assignment) override;
  control::Awaitable<Status> drop_clients(core::NodeAssignment assignment) override;
  void disconnect(core::NodeKey) override {}

 private:
  Engine* process(control::Process process) const;
  Engine* running(const core::NodeKey& node) const;
  std::string follow_source(const core::NodeAssignment& assignment) const;

  Env env_;
  Fleet& fleet_;
  Disk& disk_;
  Realm realm_;
  bool ended_ = false;
};

}  // namespace hikae::sim
