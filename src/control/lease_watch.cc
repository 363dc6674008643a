#include "control/lease_watch.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "base/check.h"

namespace hikae::control {
namespace {

// A host that fell silent is noticed so much later than its lease is over.
constexpr Duration kLookEvery = std::chrono::milliseconds(20);

}  // namespace

LeaseWatch::LeaseWatch(Parts parts)
    : parts_(std::move(parts)),
      ledger_(parts_.clock.monotonic(), parts_.length),
      wake_(parts_.executor),
      task_(parts_.executor) {
  parts_.reconciler.grant_leases();
}

LeaseWatch::~LeaseWatch() {
  HIKAE_CHECK(!task_.is_running());
}

void LeaseWatch::start() {
  task_.start(run(), [](std::exception_ptr thrown) { HIKAE_CHECK(thrown == nullptr); });
}

Awaitable<void> LeaseWatch::stop() {
  stopping_ = true;
  wake_.raise();
  co_await task_.over();
}

std::optional<LeaseGrant> LeaseWatch::grant(const core::HostId& host) {
  if (stopping_ || (parts_.leadership != nullptr && !parts_.leadership->is_certain())) {
    return std::nullopt;
  }
  parts_.reconciler.note_silence(host, false);
  ledger_.granted(host, parts_.clock.monotonic());
  LeaseGrant out;
  out.length = parts_.length;
  out.primaries = parts_.reconciler.leasable(host);
  return out;
}

Awaitable<void> LeaseWatch::run() {
  using namespace boost::asio::experimental::awaitable_operators;
  while (!stopping_) {
    look();
    auto time = parts_.clock.sleep_for(kLookEvery);
    auto woken = wake_.wait();
    co_await (std::move(time) || std::move(woken));
  }
}

void LeaseWatch::look() {
  const Monotonic now = parts_.clock.monotonic();
  const auto& silent = parts_.reconciler.observed().silent;
  for (const auto& [id, host] : parts_.frontend.state().all<core::Host>()) {
    if (host.fences && !silent.contains(id) && now >= ledger_.certain_end(id)) {
      parts_.reconciler.note_silence(id, true);
    }
  }
}

}  // namespace hikae::control
