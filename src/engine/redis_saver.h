#pragma once

#include <map>
#include <string>

#include "control/snapshot_ports.h"
#include "engine/admin_connection.h"
#include "engine/secrets.h"

namespace hikae::engine {

// BGSAVE of Redis and Valkey, asked over connections of its own: the driver's are used for what
// cannot wait.
class RedisSaver final : public control::DataSaver {
 public:
  // `runner` and `connector` must outlive it.
  RedisSaver(SecretSource secrets, const control::ProcessRunner& runner, AdminConnector& connector);

  control::Awaitable<Status> begin(core::NodeAssignment assignment) override;
  // kConflict: the process that was asked is another one by now; begin again.
  control::Awaitable<Result<State>> look(core::NodeAssignment assignment) override;
  std::string saved_file(const core::NodeAssignment& assignment) const override;

 private:
  // One connection, one exchange. The first reply, of AUTH, is left out.
  control::Awaitable<Result<std::vector<codec::resp::Value>>> ask(core::NodeAssignment assignment,
                                                                  std::vector<Command> commands);

  SecretSource secrets_;
  const control::ProcessRunner& runner_;
  AdminConnector& connector_;
  std::map<core::NodeKey, std::string> asked_;  // the run of the engine that was asked to save
};

// The newest format of RDB that an engine can load.
int newest_rdb_format(std::string_view engine, std::string_view version);

}  // namespace hikae::engine
