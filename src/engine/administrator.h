#pragma once

#include <utility>
#include <vector>

#include "control/ports.h"
#include "engine/admin_connection.h"
#include "engine/secrets.h"

namespace hikae::engine {

// Asks engines of this host as their administrator, beside the driver: each question has a
// connection of its own, so that one that takes long holds up nobody.
class Administrator {
 public:
  using Replies = std::vector<codec::resp::Value>;

  // `runner` and `connector` must outlive it.
  Administrator(SecretSource secrets, const control::ProcessRunner& runner,
                AdminConnector& connector, Duration connect_timeout)
      : secrets_(std::move(secrets)),
        runner_(runner),
        connector_(connector),
        connect_timeout_(connect_timeout) {}

  // One reply for each command; an error that the engine answers is one. kDenied: the engine
  // refused the administrator. Else as the connection fails.
  control::Awaitable<Result<Replies>> ask(core::NodeAssignment assignment,
                                          std::vector<Command> commands, Duration timeout);

 private:
  SecretSource secrets_;
  const control::ProcessRunner& runner_;
  AdminConnector& connector_;
  Duration connect_timeout_;
};

}  // namespace hikae::engine
