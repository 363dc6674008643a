#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "control/background_task.h"
#include "control/frontend.h"
#include "control/reconciler.h"
#include "control/wake_signal.h"

namespace hikae::control {

// Asks an engine from here, beside its agent.
class EngineProbe {
 public:
  // Somebody takes connections there. Answers within about a second.
  virtual Awaitable<bool> answers(Ipv4 address, std::uint16_t port) = 0;

 protected:
  ~EngineProbe() = default;
};

// The leader's eye on the hosts that joined: notes in the state which agents are gone, has the
// nodes of a dead host placed elsewhere, and ends drains that are over.
//
// A host is dead when, for all of `rebuild_after`, its agent was gone, none of its engines took a
// connection, and no replica elsewhere followed one of them
// (docs/adr/0033-a-dead-host-is-rebuilt-after-its-engines-fell-silent.md).
class HostWatch {
 public:
  struct Parts {
    boost::asio::any_io_executor executor;
    Frontend& frontend;
    const Reconciler& reconciler;
    std::function<bool(const core::HostId&)> is_connected;
    EngineProbe& probe;
    Duration rebuild_after{};  // zero: no host is ever taken for dead
    Clock& clock;
    Log& log;
    std::optional<LeaderTerm> term;
  };

  explicit HostWatch(Parts parts);
  ~HostWatch();  // stop() must have returned

  void start();
  Awaitable<void> stop();

  // What is known of a host whose agent is gone, one line for people; empty: nothing.
  std::string note(const core::HostId& host) const;

 private:
  // Of a host whose agent is gone.
  struct Absence {
    Monotonic since;        // when we noticed; a new leader begins anew
    Monotonic silent;       // since when nobody hears of its engines either
    std::size_t asked = 0;  // engines, since then
    std::string note;
  };

  Awaitable<void> run();
  Awaitable<void> look_at(core::HostId host);
  Awaitable<void> look_for_life(core::HostId host);
  Awaitable<void> rebuild(core::HostId host);
  Awaitable<void> end_drain(core::HostId host);
  template <class Command>
  Awaitable<void> submit(Command command);

  Parts parts_;
  std::map<core::HostId, Absence> absent_;
  WakeSignal wake_;
  BackgroundTask task_;
  bool stopping_ = false;
};

}  // namespace hikae::control
