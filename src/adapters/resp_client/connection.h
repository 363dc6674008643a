#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/address.h"
#include "base/result.h"
#include "base/time.h"
#include "codec/resp/value.h"

namespace hikae::resp {

using codec::resp::Value;

struct Credentials {
  std::string user;
  std::string password;
};

// Where an engine listens: a Unix socket when unix_path is set, else address and port.
struct Target {
  // May be longer than the 108 bytes of a socket address, as data directories often are.
  std::string unix_path;
  Ipv4 address;
  std::uint16_t port = 0;
  std::optional<Credentials> credentials;  // sent by AUTH when connecting

  static Target at_path(std::string path);
  static Target at_address(Ipv4 address, std::uint16_t port);
  std::string str() const;  // for messages; without credentials
};

// One administrative connection to a Valkey or Redis server. Every call has a deadline, and every
// failure but an error reply ends the connection: after a timeout the reply may still be on its
// way, and it must not be taken for that of a later command. Errors: kUnavailable (refused, reset,
// closed), kTimeout (it may or may not have been carried out), kDenied (AUTH was refused), kInvalid
// (what came is not RESP), kConflict (a command is already in flight on this connection). Their
// texts name the target and the command's first word, never arguments.
//
// Used from the thread of its io_context. Coroutines in flight hold the connection's inside, so the
// object may be destroyed or moved at any time; they then fail with kUnavailable.
class Connection {
 public:
  Connection() = default;  // closed
  Connection(Connection&&) = default;
  Connection& operator=(Connection&& other);
  ~Connection();  // closes

  // The timeout covers AUTH too.
  static boost::asio::awaitable<Result<Connection>> connect(Target target, Duration timeout);

  // An error reply is a value (Value::is_error), because it is an answer. RESP3 pushes are left
  // out.
  boost::asio::awaitable<Result<Value>> command(std::vector<std::string> arguments,
                                                Duration timeout);

  // Sends all commands at once; one reply for each, in order.
  boost::asio::awaitable<Result<std::vector<Value>>> pipeline(
      std::vector<std::vector<std::string>> commands, Duration timeout);

  // Takes effect at once, also on a command in flight.
  void close();
  bool is_open() const;

 private:
  class Impl;
  explicit Connection(std::shared_ptr<Impl> impl);

  std::shared_ptr<Impl> impl_;
};

}  // namespace hikae::resp
