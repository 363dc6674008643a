#pragma once

#include <map>
#include <string>

#include "control/snapshot_ports.h"
#include "engine/administrator.h"

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
  control::Awaitable<Result<std::string>> find_process(core::NodeAssignment assignment);

  Administrator administrator_;
  const control::ProcessRunner& runner_;
  std::map<core::NodeKey, std::string> asked_;  // the run of the engine that was asked to save
};

// The newest format of RDB that an engine can load.
int newest_rdb_format(std::string_view engine, std::string_view version);

}  // namespace hikae::engine
