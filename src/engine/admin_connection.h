#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "codec/resp/value.h"
#include "control/ports.h"

namespace hikae::engine {

using Command = std::vector<std::string>;

// One connection to an engine: to its administrative socket, or to a server outside. One call at a
// time.
class AdminConnection {
 public:
  virtual ~AdminConnection() = default;

  // Writes all commands, then reads as many replies, in order. An error that the engine answers is
  // a Value, not a failure. After kUnavailable, kTimeout or kInvalid the connection is useless and
  // must be dropped. `timeout` bounds the whole call.
  virtual control::Awaitable<Result<std::vector<codec::resp::Value>>> call(
      std::vector<Command> commands, Duration timeout) = 0;

  // Takes effect at once, also on a call under way, which then fails with kUnavailable.
  virtual void close() = 0;
};

// Opens connections; src/app puts the RESP client behind it.
class AdminConnector {
 public:
  // Connects to a unix socket. kUnavailable: nobody listens (yet); kTimeout.
  virtual control::Awaitable<Result<std::unique_ptr<AdminConnection>>> connect(
      std::string socket_path, Duration timeout) = 0;
  // By TCP to a name or an IPv4 address. kUnavailable: there is no such name, or nobody listens;
  // kTimeout.
  virtual control::Awaitable<Result<std::unique_ptr<AdminConnection>>> connect_to(
      std::string host, std::uint16_t port, Duration timeout) = 0;

 protected:
  ~AdminConnector() = default;
};

}  // namespace hikae::engine
