#include "adapters/process/socket_resets.h"

#include <functional>
#include <utility>

#include <fmt/format.h>

#include "adapters/process/proc_files.h"
#include "adapters/process/socket_diag.h"
#include "control/offload.h"

namespace hikae::adapters {
namespace {

SocketSelection selection_of(const control::SocketReset& reset) {
  SocketSelection out;
  out.kind =
      reset.connections ? SocketSelection::Kind::kConnected : SocketSelection::Kind::kListening;
  out.address = reset.address;
  out.port = reset.port;
  out.spared = reset.spared;
  return out;
}

// What there is to say without ending anything; nullopt: its sockets are to be ended.
std::optional<Status> without_ending(const control::Process& process) {
  const auto stat = read_process_stat(process.pid);
  if (!stat || stat->start_time != process.start_time) {
    return Status();  // the kernel has closed them all
  }
  if (!is_exiting(*stat)) {
    return Status(fail(ErrorCode::kConflict, fmt::format("the process {} lives", process.pid)));
  }
  return std::nullopt;
}

}  // namespace

SocketResets::~SocketResets() {
  pool_.join();
}

control::Awaitable<Status> SocketResets::reset(control::SocketReset reset) {
  auto wanted = std::make_shared<Wanted>(Wanted{std::move(reset), std::nullopt});
  {
    const std::lock_guard lock(mutex_);
    wanted_.push_back(wanted);
  }
  std::function<Status()> work = [this, wanted] {
    if (!wanted->outcome) {
      do_all_wanted();
    }
    return *wanted->outcome;
  };
  co_return co_await control::offload(pool_, std::move(work));
}

void SocketResets::do_all_wanted() {
  std::vector<std::shared_ptr<Wanted>> all;
  {
    const std::lock_guard lock(mutex_);
    all.swap(wanted_);
  }
  std::vector<SocketSelection> selections;
  for (const auto& one : all) {
    one->outcome = without_ending(one->reset.process);
    if (!one->outcome) {
      selections.push_back(selection_of(one->reset));
    }
  }
  const auto ended = destroy_sockets(selections);
  for (const auto& one : all) {
    if (!one->outcome) {
      one->outcome = ended ? Status() : Status(tl::unexpected(ended.error()));
    }
  }
}

}  // namespace hikae::adapters
