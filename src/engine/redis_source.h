#pragma once

#include <string>
#include <vector>

#include "control/migration_ports.h"
#include "engine/admin_connection.h"
#include "engine/secrets.h"

namespace hikae::engine {

// Redis or Valkey anywhere, as the source of a migration: asked without a password, as AWS does.
class RedisSource final : public control::MigrationSources {
 public:
  // `runner` and `connector` must outlive it.
  RedisSource(SecretSource secrets, const control::ProcessRunner& runner,
              AdminConnector& connector);

  control::Awaitable<core::SourceAnswer> check(core::NodeAssignment assignment) override;
  control::Awaitable<core::SourceAnswer> pause_writes(core::NodeAssignment assignment,
                                                      Duration bound) override;
  control::Awaitable<void> resume_writes(core::NodeAssignment assignment) override;

 private:
  using Replies = std::vector<codec::resp::Value>;

  // One connection, one exchange with the source.
  control::Awaitable<Result<Replies>> ask(core::MigrationSource source,
                                          std::vector<Command> commands);
  // INFO of the node itself.
  control::Awaitable<Result<std::string>> info_of_node(core::NodeAssignment assignment);

  SecretSource secrets_;
  const control::ProcessRunner& runner_;
  AdminConnector& connector_;
};

// Why the server that answers PING, INFO and REPLCONF so cannot be the source of this node, whose
// INFO is given too; empty: it can. Pure.
std::string why_not_migrate(const core::NodeAssignment& assignment, std::string_view own_info,
                            const std::vector<codec::resp::Value>& replies);

}  // namespace hikae::engine
