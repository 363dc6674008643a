#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "core/reconcile/assignment.h"
#include "engine/engine_binaries.h"
#include "engine/secrets.h"

namespace hikae::engine {

inline constexpr std::string_view kConfigFile = "engine.conf";
inline constexpr std::string_view kAdminSocket = "admin.sock";
inline constexpr std::string_view kDataFile = "dump.rdb";

// A replica whose turn has not come follows this port of its own address, where nobody listens: so
// it refuses writes as every replica does.
inline constexpr std::uint16_t kNobodyPort = 1;

// Our modules as an engine is to load them. Empty: it gets none.
struct EngineModules {
  std::string fence;
  std::string lease;  // the file that the fence reads
  std::string front;  // of a node that takes clients with and without TLS
};

// Engines of which we know that they have all that our module needs.
bool can_be_fenced(const InstalledEngine& installed);

// The whole configuration file, users included, of a Redis or Valkey node that runs in its own
// directory (all paths in it are relative). Directives of the assignment override our choices, but
// never those that hold the node together (address, files, users, replication). kInvalid: a
// directive whose name or value cannot be written.
Result<std::string> render_redis_config(const core::NodeAssignment& assignment,
                                        const InstalledEngine& installed,
                                        const NodeSecrets& secrets, bool private_hosts,
                                        const EngineModules& modules = {});

// May the assignment set this directive, and does this engine know it?
bool accepts_directive(const InstalledEngine& installed, std::string_view name);

// `<host> <port>` of what the engine should follow, for REPLICAOF.
struct FollowTarget {
  std::string host;
  std::uint16_t port = 0;
};
FollowTarget replication_source(const core::NodeAssignment& assignment, bool private_hosts);

}  // namespace hikae::engine
