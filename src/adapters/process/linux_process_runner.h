#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "adapters/process/node_directory.h"
#include "adapters/process/posix.h"
#include "adapters/process/reaper.h"
#include "adapters/process/socket_resets.h"
#include "control/ports.h"

namespace hikae::adapters {

// Processes of one host on Linux: a directory and a session per node, an unprivileged user when we
// are root, a private /etc/hosts where mount namespaces are permitted. Disk work and forks happen
// on one thread of its own, resets of sockets on another. Engines outlive it; whoever waits for
// their ends has an executor that does too.
class LinuxProcessRunner final : public control::ProcessRunner {
 public:
  struct Options {
    std::string root;  // `<data>/nodes/<host>`; made where missing
    // The user of the engines when we are root. Empty: `hikae` if there is one, else `nobody`.
    std::string user;
    // A log that grew past this is put aside, and the one put aside before is dropped.
    std::uint64_t log_bytes = 8 * 1024 * 1024;
  };

  static Result<std::unique_ptr<LinuxProcessRunner>> open(Options options);
  ~LinuxProcessRunner();

  control::Awaitable<Result<std::vector<control::FoundNode>>> find_all() override;
  control::Awaitable<Result<control::Process>> start(control::LaunchSpec spec) override;
  control::Awaitable<void> wait_exit(control::Process process) override;
  Status signal(control::Process process, int signal_number) override;
  Result<control::ProcessProbe> probe(control::Process process) override;
  bool has_no_memory(control::Process process) override;
  void prefer(control::Process process, bool on) override;
  control::Awaitable<Status> reset_sockets(control::SocketReset reset) override;
  bool socket_resets_supported() const override { return may_reset_sockets_; }
  Status update_hosts(core::NodeKey node, std::string content) override;
  bool private_hosts_supported() const override { return namespaces_ != Namespaces::kNone; }
  Status write_note(core::NodeKey node, std::string name, std::string content) override;
  std::optional<std::string> read_note(core::NodeKey node, std::string name) const override;
  std::uint64_t stored_bytes(core::NodeKey node, std::vector<std::string> names) const override;
  control::Awaitable<Status> remove(core::NodeKey node) override;
  // Short enough for a socket's address, whatever the root: where the plain path is not, it leads
  // through /proc/self and means something to this process only.
  std::string path(core::NodeKey node, std::string_view name) const override;

  // The same at once and on the caller's thread, for `hikae down` and tests.
  Result<std::vector<control::FoundNode>> find_all_now() const;
  // Done every minute by itself.
  void bound_logs() const;

 private:
  LinuxProcessRunner(Options options, NodeDirectories directories, Namespaces namespaces);
  Result<control::Process> start_now(const control::LaunchSpec& spec);
  Result<pid_t> spawn(const control::LaunchSpec& spec, const ChildSpec& child);
  Status remove_now(const core::NodeKey& node) const;
  void bound_logs_later();

  // Files that stay open: they mean this very process for ever, and cost a third.
  struct OpenFiles {
    std::uint64_t start_time = 0;
    Descriptor stat;
    Descriptor memory;
  };
  // The same of a pidfd, which many a wait may find of use before the process ends.
  struct ExitWatch {
    std::uint64_t start_time = 0;
    boost::asio::posix::stream_descriptor pidfd;
  };

  OpenFiles& files_of(control::Process process);
  // kNotFound: it is gone. Otherwise it cannot be watched, for want of descriptors.
  Result<std::shared_ptr<ExitWatch>> watch_exit(control::Process process,
                                                const boost::asio::any_io_executor& executor);
  control::Awaitable<void> poll_exit(control::Process process);

  Options options_;
  NodeDirectories directories_;
  Namespaces namespaces_;
  bool may_reset_sockets_ = false;
  std::unordered_map<std::int64_t, OpenFiles> files_;         // by pid, of probed processes
  std::map<std::int64_t, std::shared_ptr<ExitWatch>> exits_;  // by pid
  boost::asio::thread_pool pool_{1};
  SocketResets socket_resets_;
  // Nobody waits for the copying of gigabytes.
  boost::asio::thread_pool seed_pool_{1};
  Reaper reaper_;
  boost::asio::steady_timer log_timer_{pool_};
  bool closing_ = false;  // used on the pool's thread
};

}  // namespace hikae::adapters
