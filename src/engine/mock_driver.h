#pragma once

#include <functional>
#include <map>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "control/ports.h"

namespace hikae::engine {

// Engines that are nothing but a row in a table: started at once, ready at once, in step with their
// primary at once. For benches of everything around the engines, and for tests. Both ports are one
// object, because the driver must know which processes "run". One thread.
class MockEngines final : public control::ProcessRunner, public control::EngineDriver {
 public:
  explicit MockEngines(std::string version = "0.0.0") : version_(std::move(version)) {}

  // The process is gone, as if killed; the agent sees it in its next wait.
  void crash(const core::NodeKey& node);
  std::size_t running() const;

  // ProcessRunner
  control::Awaitable<Result<std::vector<control::FoundNode>>> find_all() override;
  control::Awaitable<Result<control::Process>> start(control::LaunchSpec spec) override;
  control::Awaitable<void> wait_exit(control::Process process) override;
  Status signal(control::Process process, int signal_number) override;
  Result<control::ProcessProbe> probe(control::Process process) override;
  bool has_no_memory(control::Process process) override;
  void prefer(control::Process, bool) override {}
  control::Awaitable<Status> reset_sockets(control::SocketReset reset) override;
  bool socket_resets_supported() const override { return false; }
  Status update_hosts(core::NodeKey node, std::string content) override;
  bool private_hosts_supported() const override { return true; }
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
  void disconnect(core::NodeKey node) override;

 private:
  struct Engine {
    std::int64_t pid = 0;  // 0: only the directory is left
    control::EngineStatus status;
    std::map<std::string, std::string> files;
    std::function<void()> on_exit;  // wakes whoever waits for the exit
  };

  Engine* find_running(control::Process process);
  void end(Engine& engine);

  std::string version_;
  std::map<core::NodeKey, Engine> engines_;
  std::map<std::int64_t, core::NodeKey> nodes_by_pid_;
  std::int64_t last_pid_ = 0;
};

}  // namespace hikae::engine
