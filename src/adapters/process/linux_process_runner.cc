#include "adapters/process/linux_process_runner.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <functional>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "adapters/process/kept_child.h"
#include "adapters/process/socket_diag.h"
#include "control/offload.h"

namespace hikae::adapters {
namespace {

using control::Awaitable;
using control::FoundNode;
using control::LaunchSpec;
using control::offload;
using control::Process;

constexpr char kHostsFile[] = "hosts";
constexpr char kEngineLog[] = "engine.log";
constexpr char kEngineOutput[] = "engine.out";  // what it prints itself: little but crash reports
constexpr auto kLogPeriod = std::chrono::minutes(1);
constexpr auto kExitPollPeriod = std::chrono::milliseconds(20);

std::optional<Account> find_account(const std::string& name) {
  const passwd* entry = ::getpwnam(name.c_str());
  return entry ? std::optional(Account{name, entry->pw_uid, entry->pw_gid}) : std::nullopt;
}

// The user of the engines; nullopt: they run as we do.
Result<std::optional<Account>> choose_account(const std::string& wish) {
  if (::geteuid() != 0) {
    return std::nullopt;
  }
  std::optional<Account> account = find_account(wish.empty() ? "hikae" : wish);
  if (!account && wish.empty()) {
    account = find_account("nobody");
  }
  if (!account) {
    return fail(ErrorCode::kNotFound,
                fmt::format("there is no user '{}' to run the engines as; create it or set another",
                            wish.empty() ? "nobody" : wish));
  }
  return account;
}

Descriptor open_pidfd(std::int64_t pid) {
  return Descriptor(int(::syscall(SYS_pidfd_open, pid_t(pid), 0U)));
}

// Of a pidfd: the process has ended.
bool is_readable(int descriptor) {
  pollfd entry{descriptor, POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1;
}

bool is_same(Process process) {
  const auto stat = read_process_stat(process.pid);
  return stat && stat->start_time == process.start_time;
}

// Not so for a zombie, which waits for somebody to reap it and runs no code any more.
bool is_same_and_alive(Process process) {
  const auto stat = read_process_stat(process.pid);
  return stat && stat->start_time == process.start_time && is_alive(*stat);
}

// Fails, as it should, for an engine that an earlier hikae or a keeper started.
void reap(Process process) {
  ::waitpid(pid_t(process.pid), nullptr, WNOHANG);
}

// What has been printed since there were so many bytes; empty when nothing was.
std::string last_line(int directory, std::uint64_t before) {
  const std::string text = read_small_file(directory, kEngineOutput).value_or("");
  const std::size_t end = text.find_last_not_of('\n');
  if (text.size() <= before || end == std::string::npos) {
    return "";
  }
  const std::size_t begin = text.find_last_of('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1, end - begin);
}

void put_aside(int directory, const char* name, std::uint64_t limit) {
  struct stat info{};
  if (::fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
      std::uint64_t(info.st_size) > limit) {
    const std::string old = std::string(name) + ".1";
    ::renameat(directory, name, directory, old.c_str());
  }
}

// For a file that a process holds open for appending: the next line starts it anew.
void cut(int directory, const char* name, std::uint64_t limit) {
  const Descriptor file(::openat(directory, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat info{};
  if (file && ::fstat(file.get(), &info) == 0 && std::uint64_t(info.st_size) > limit) {
    [[maybe_unused]] const int done = ::ftruncate(file.get(), 0);
  }
}

}  // namespace

Result<std::unique_ptr<LinuxProcessRunner>> LinuxProcessRunner::open(Options options) {
  auto account = choose_account(options.user);
  if (!account) {
    return tl::unexpected(account.error());
  }
  auto directories = NodeDirectories::open(options.root, std::move(*account));
  if (!directories) {
    return tl::unexpected(directories.error());
  }
  const Namespaces namespaces = probe_namespaces();
  return std::unique_ptr<LinuxProcessRunner>(
      new LinuxProcessRunner(std::move(options), std::move(*directories), namespaces));
}

LinuxProcessRunner::LinuxProcessRunner(Options options, NodeDirectories directories,
                                       Namespaces namespaces)
    : options_(std::move(options)),
      directories_(std::move(directories)),
      namespaces_(namespaces),
      may_reset_sockets_(probe_socket_destroy().has_value()) {
  boost::asio::post(pool_, [this] { bound_logs_later(); });
}

LinuxProcessRunner::~LinuxProcessRunner() {
  boost::asio::post(pool_, [this] {
    closing_ = true;
    log_timer_.cancel();
  });
  pool_.join();
  seed_pool_.join();
}

Awaitable<Result<std::vector<FoundNode>>> LinuxProcessRunner::find_all() {
  std::function<Result<std::vector<FoundNode>>()> work = [this] { return find_all_now(); };
  co_return co_await offload(pool_, std::move(work));
}

Result<std::vector<FoundNode>> LinuxProcessRunner::find_all_now() const {
  const auto nodes = directories_.list();
  if (!nodes) {
    return tl::unexpected(nodes.error());
  }
  const auto leaders = find_session_leaders();
  std::vector<FoundNode> out;
  for (const core::NodeKey& node : *nodes) {
    const auto directory = directories_.find(node);
    const auto id = directory ? directory_id(directory->get())
                              : Result<DirectoryId>(tl::unexpected(directory.error()));
    if (!id) {
      continue;  // no directory, or gone meanwhile
    }
    FoundNode found{node, std::nullopt};
    const auto [begin, end] = leaders.equal_range(*id);
    for (auto it = begin; it != end; ++it) {
      // Of several the oldest: one more cannot have got the node's address.
      if (!found.process || it->second.start_time < found.process->start_time) {
        found.process = it->second;
      }
    }
    out.push_back(std::move(found));
  }
  return out;
}

Awaitable<Result<Process>> LinuxProcessRunner::start(LaunchSpec spec) {
  const bool seeded = !spec.seed.empty();
  std::function<Result<Process>()> work = [this, spec = std::move(spec)] {
    return start_now(spec);
  };
  if (seeded) {
    co_return co_await offload(seed_pool_, std::move(work));
  }
  co_return co_await offload(pool_, std::move(work));
}

Result<Process> LinuxProcessRunner::start_now(const LaunchSpec& spec) {
  const std::string who = "node " + spec.node.str();
  const auto directory = directories_.find_or_make(spec.node);
  if (!directory) {
    return fail(directory.error().code, fmt::format("{}: {}", who, directory.error().message));
  }
  const int at = directory->get();
  for (const auto& [name, content] : spec.files) {
    if (Status written = write_new_file(at, name, content, directories_.owner()); !written) {
      return fail(written.error().code, fmt::format("{}: {}", who, written.error().message));
    }
  }
  if (!spec.data_file.empty() && !spec.keep_data &&
      ::unlinkat(at, spec.data_file.c_str(), 0) != 0 && errno != ENOENT) {
    return posix_failure(errno, fmt::format("{}: cannot remove {}", who, spec.data_file));
  }
  if (!spec.seed.empty()) {
    if (Status copied = copy_file(at, spec.data_file, spec.seed, directories_.owner()); !copied) {
      return fail(copied.error().code, fmt::format("{}: {}", who, copied.error().message));
    }
  }
  const bool private_hosts = !spec.hosts_file.empty() && private_hosts_supported();
  if (private_hosts) {
    if (Status written = write_new_file(at, kHostsFile, spec.hosts_file, directories_.owner());
        !written) {
      return fail(written.error().code, fmt::format("{}: {}", who, written.error().message));
    }
  }
  const auto output = open_for_append(at, kEngineOutput, directories_.owner());
  if (!output) {
    return fail(output.error().code, fmt::format("{}: {}", who, output.error().message));
  }
  ChildSpec child;
  child.program = spec.program;
  child.arguments = spec.arguments;
  child.directory = at;
  child.output = output->get();
  child.namespaces = namespaces_;
  child.private_hosts = private_hosts;
  child.run_as = directories_.owner();
  const auto pid = spawn(spec, child);
  if (!pid) {
    return fail(pid.error().code, fmt::format("{}: {}", who, pid.error().message));
  }
  // Also when it ended already: nobody reaps it before wait_exit(). But a keeper does.
  const auto stat = read_process_stat(*pid);
  return Process{*pid, stat ? stat->start_time : 0};
}

Result<pid_t> LinuxProcessRunner::spawn(const LaunchSpec& spec, const ChildSpec& child) {
  if (spec.keeper.empty()) {
    return spawn_child(child);
  }
  const std::uint64_t before = stored_size(child.directory, kEngineOutput);
  const auto kept = spawn_kept_child(child, spec.keeper, spec.lease);
  if (!kept) {
    const std::string line = last_line(child.directory, before);
    return fail(kept.error().code,
                fmt::format("{}{}{}", kept.error().message, line.empty() ? "" : ": ", line));
  }
  reaper_.add_keeper(kept->keeper);
  return kept->program;
}

Awaitable<void> LinuxProcessRunner::wait_exit(Process process) {
  const auto executor = co_await boost::asio::this_coro::executor;
  const auto watch = watch_exit(process, executor);
  if (!watch && watch.error().code != ErrorCode::kNotFound) {
    co_await poll_exit(process);
    reaper_.reap_keepers();
    co_return;
  }
  boost::asio::posix::stream_descriptor* pidfd = watch ? &(*watch)->pidfd : nullptr;
  boost::system::error_code error;
  // A wait may end early, with an event meant for a descriptor of the same number that was closed
  // in the same turn; only the kernel's word counts.
  while (pidfd != nullptr && !error && !is_readable(pidfd->native_handle())) {
    const auto token = boost::asio::as_tuple(boost::asio::use_awaitable);
    std::tie(error) =
        co_await pidfd->async_wait(boost::asio::posix::stream_descriptor::wait_read, token);
  }
  if (error) {
    co_return;
  }
  files_.erase(process.pid);
  if (pidfd != nullptr) {
    Descriptor ended(pidfd->release());
    exits_.erase(process.pid);
    reaper_.reap(std::move(ended));
  } else {
    reaper_.reap_keepers();
  }
}

Result<std::shared_ptr<LinuxProcessRunner::ExitWatch>> LinuxProcessRunner::watch_exit(
    Process process, const boost::asio::any_io_executor& executor) {
  auto& known = exits_[process.pid];
  if (known != nullptr && known->start_time == process.start_time) {
    return known;
  }
  exits_.erase(process.pid);
  Descriptor pidfd = open_pidfd(process.pid);
  if (!pidfd && errno != ESRCH && errno != EINVAL) {
    return posix_failure(errno, fmt::format("cannot watch the process {}", process.pid));
  }
  // Compared after the pidfd is open: from then on the pid cannot be given to another process.
  if (!pidfd || !is_same(process)) {
    return fail(ErrorCode::kNotFound, fmt::format("the process {} is gone", process.pid));
  }
  boost::asio::posix::stream_descriptor stream(executor);
  boost::system::error_code error;
  stream.assign(pidfd.get(), error);
  if (error) {
    return fail(ErrorCode::kExhausted, error.message());
  }
  pidfd.release();
  auto watch = std::make_shared<ExitWatch>(ExitWatch{process.start_time, std::move(stream)});
  exits_[process.pid] = watch;
  return watch;
}

// While descriptors run out.
Awaitable<void> LinuxProcessRunner::poll_exit(Process process) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
  boost::system::error_code error;
  while (!error && is_same(process)) {
    reap(process);
    timer.expires_after(kExitPollPeriod);
    std::tie(error) = co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
}

Status LinuxProcessRunner::signal(Process process, int signal_number) {
  const Descriptor pidfd = open_pidfd(process.pid);
  if (!pidfd || !is_same_and_alive(process)) {
    return fail(ErrorCode::kNotFound, fmt::format("the process {} is gone", process.pid));
  }
  if (::syscall(SYS_pidfd_send_signal, pidfd.get(), signal_number, nullptr, 0U) != 0) {
    return posix_failure(errno, fmt::format("cannot signal the process {}", process.pid));
  }
  return {};
}

LinuxProcessRunner::OpenFiles& LinuxProcessRunner::files_of(Process process) {
  OpenFiles& known = files_[process.pid];
  if (known.start_time != process.start_time || !known.stat || !known.memory) {
    known = OpenFiles{process.start_time, open_process_stat(process.pid),
                      open_process_memory(process.pid)};
  }
  return known;
}

Result<control::ProcessProbe> LinuxProcessRunner::probe(Process process) {
  const auto stat = read_process_stat(files_of(process).stat);
  if (!stat || stat->start_time != process.start_time) {
    files_.erase(process.pid);
    return fail(ErrorCode::kNotFound, fmt::format("the process {} is gone", process.pid));
  }
  control::ProcessProbe probe;
  probe.exiting = is_exiting(*stat);
  probe.activity.stopped = stat->state == 'T' || stat->state == 't';
  probe.activity.sleeping = stat->state == 'S' || stat->state == 'I';
  probe.activity.cpu_ticks = stat->cpu_ticks;
  return probe;
}

bool LinuxProcessRunner::has_no_memory(Process process) {
  return adapters::has_no_memory(files_of(process).memory);
}

// Its first thread is the one that answers clients.
void LinuxProcessRunner::prefer(Process process, bool on) {
  if (!is_same_and_alive(process)) {
    return;
  }
  const int policy = on ? SCHED_RR | SCHED_RESET_ON_FORK : SCHED_OTHER;
  const sched_param priority{.sched_priority = on ? ::sched_get_priority_min(SCHED_RR) : 0};
  ::sched_setscheduler(pid_t(process.pid), policy, &priority);
}

Awaitable<Status> LinuxProcessRunner::reset_sockets(control::SocketReset reset) {
  co_return co_await socket_resets_.reset(std::move(reset));
}

Status LinuxProcessRunner::update_hosts(core::NodeKey node, std::string content) {
  if (!private_hosts_supported()) {
    return fail(ErrorCode::kDenied, "this machine permits no mount namespaces");
  }
  const auto directory = directories_.find(node);
  return directory ? overwrite_file(directory->get(), kHostsFile, std::move(content))
                   : Status(tl::unexpected(directory.error()));
}

Status LinuxProcessRunner::write_note(core::NodeKey node, std::string name, std::string content) {
  const auto directory = directories_.find(node);
  return directory ? replace_file(directory->get(), name, content, directories_.owner())
                   : Status(tl::unexpected(directory.error()));
}

std::optional<std::string> LinuxProcessRunner::read_note(core::NodeKey node,
                                                         std::string name) const {
  const auto directory = directories_.find(node);
  return directory ? read_small_file(directory->get(), name) : std::nullopt;
}

std::uint64_t LinuxProcessRunner::stored_bytes(core::NodeKey node,
                                               std::vector<std::string> names) const {
  const auto directory = directories_.find(node);
  std::uint64_t bytes = 0;
  for (const std::string& name : names) {
    bytes += directory ? stored_size(directory->get(), name) : 0;
  }
  return bytes;
}

Awaitable<Status> LinuxProcessRunner::remove(core::NodeKey node) {
  std::function<Status()> work = [this, node = std::move(node)] { return remove_now(node); };
  co_return co_await offload(pool_, std::move(work));
}

Status LinuxProcessRunner::remove_now(const core::NodeKey& node) const {
  const auto directory = directories_.find(node);
  if (!directory) {
    return directory.error().code == ErrorCode::kNotFound
               ? Status()
               : Status(tl::unexpected(directory.error()));
  }
  const auto id = directory_id(directory->get());
  if (id && has_process(*id)) {
    return fail(ErrorCode::kConflict,
                fmt::format("node {}: a process still works in its directory", node.str()));
  }
  return directories_.remove(node);
}

std::string LinuxProcessRunner::path(core::NodeKey node, std::string_view name) const {
  std::string plain = fmt::format("{}/{}/{}", directories_.root_path(), node.str(), name);
  if (plain.size() < sizeof(sockaddr_un::sun_path)) {
    return plain;
  }
  return fmt::format("/proc/self/fd/{}/{}/{}", directories_.root(), node.str(), name);
}

void LinuxProcessRunner::bound_logs() const {
  for (const core::NodeKey& node : directories_.list().value_or(std::vector<core::NodeKey>())) {
    if (const auto directory = directories_.find(node)) {
      put_aside(directory->get(), kEngineLog, options_.log_bytes);
      cut(directory->get(), kEngineOutput, options_.log_bytes);
    }
  }
}

void LinuxProcessRunner::bound_logs_later() {
  if (closing_) {
    return;
  }
  log_timer_.expires_after(kLogPeriod);
  log_timer_.async_wait([this](boost::system::error_code error) {
    if (!error) {
      bound_logs();
      bound_logs_later();
    }
  });
}

}  // namespace hikae::adapters
