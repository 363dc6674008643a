#include "engine/redis_config.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "codec/text/digest.h"
#include "core/catalog/catalog.h"
#include "core/catalog/directives.h"
#include "core/reconcile/node_action.h"
#include "engine/redis_access.h"

namespace hikae::engine {
namespace {

using Directives = std::map<std::string, std::string>;

// A customer's value never reaches these: they decide where the node listens, what it may touch and
// who may command it.
constexpr std::string_view kReserved[] = {
    "aclfile",
    "bind",
    "bind-source-addr",
    "crash-memcheck-enabled",
    "daemonize",
    "dbfilename",
    "dir",
    "enable-debug-command",
    "enable-module-command",
    "enable-protected-configs",
    "include",
    "loadmodule",
    "logfile",
    "masterauth",
    "masteruser",
    "pidfile",
    "port",
    "primaryauth",
    "primaryuser",
    "protected-mode",
    "rdb-del-sync-files",
    "rename-command",
    "replica-announce-ip",
    "replica-announce-port",
    "replicaof",
    "requirepass",
    "slaveof",
    "supervised",
    "unixsocket",
    "unixsocketperm",
    "user",
};

// Parameters of a family that is newer than an engine which may serve it.
struct Introduced {
  std::string_view directive;
  std::string_view engine;  // no other has it
  std::string_view version;
};
constexpr Introduced kIntroduced[] = {
    {"extended-redis-compatibility", "valkey", "8.0"},
};

bool at_least(const InstalledEngine& installed, std::string_view version) {
  return core::compare_versions(installed.version, version) >= 0;
}

// What a customer may override.
Directives defaults(const InstalledEngine& installed) {
  Directives out = {
      {"save", ""},
      {"appendonly", "no"},
      {"repl-diskless-sync", "yes"},
      {"repl-diskless-sync-delay", "0"},
      {"repl-diskless-load", "on-empty-db"},
      {"repl-ping-replica-period", "1"},
      {"repl-timeout", "60"},
      {"repl-backlog-size", "1048576"},
      {"replica-read-only", "yes"},
      {"replica-serve-stale-data", "yes"},
      {"always-show-logo", "no"},
  };
  if (at_least(installed, "7.0")) {
    out["shutdown-timeout"] = "0";  // an engine is told to end only when nobody needs its data
  }
  if (installed.engine == "valkey" && at_least(installed, "8.0")) {
    out["extended-redis-compatibility"] = "no";
  }
  return out;
}

// What holds the node together. Written last: the last line of a directive counts.
void append_fixed(std::string& out, const core::NodeAssignment& a, const InstalledEngine& installed,
                  const NodeSecrets& secrets, bool private_hosts, const std::string& front) {
  const std::string address = a.address.str();
  out += listening_lines(a, front);
  out += fmt::format(
      "protected-mode no\nunixsocket {1}\nunixsocketperm 700\n"
      "dir .\npidfile engine.pid\nlogfile engine.log\ndaemonize no\nsupervised no\n"
      "dbfilename {2}\n"
      // After a crash the default tests all memory before it exits, seconds per gigabyte.
      "crash-memcheck-enabled no\nreplica-announce-ip {0}\n",
      address, kAdminSocket, kDataFile);
  if (at_least(installed, "6.2")) {
    // What a synchronisation left on the disk is no data to start with.
    out += "rdb-del-sync-files yes\n";
  }
  if (at_least(installed, "7.0")) {
    out += "enable-debug-command no\nenable-module-command no\nenable-protected-configs no\n";
  }
  out += render_users(a);
  out += fmt::format("user {} on #{} ~* &* +@all\n", kAdminUser, codec::sha256_hex(secrets.admin));
  out += fmt::format("user {} on #{} +psync +replconf +ping\n", kReplicationUser,
                     codec::sha256_hex(secrets.replication));
  // Whoever is outside of the region is not reached from a node's own address, and gets no secret.
  if (!a.source.is_followed()) {
    out += at_least(installed, "7.0") ? fmt::format("bind-source-addr {}\n", address) : "";
    out += fmt::format("masteruser {}\nmasterauth {}\n", kReplicationUser, secrets.replication);
  }
  if (a.role == core::Role::kReplica) {
    const FollowTarget source = replication_source(a, private_hosts);
    out += fmt::format("replicaof {} {}\n", source.host, source.port);
  }
}

bool is_directive_name(std::string_view name) {
  return !name.empty() && name.size() <= 100 &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string_view::npos;
}

// Several words are several arguments, as in `normal 0 0 0 pubsub 32mb 8mb 60`; quotes and escapes
// never occur in a parameter of ElastiCache.
bool is_directive_value(std::string_view value) {
  return value.size() <= 4096 && std::all_of(value.begin(), value.end(), [](char c) {
           return c >= ' ' && c <= '~' && c != '"' && c != '\'' && c != '\\';
         });
}

}  // namespace

bool accepts_directive(const InstalledEngine& installed, std::string_view name) {
  if (name.starts_with("tls-") ||
      std::find(std::begin(kReserved), std::end(kReserved), name) != std::end(kReserved)) {
    return false;
  }
  return std::all_of(std::begin(kIntroduced), std::end(kIntroduced), [&](const Introduced& row) {
    return row.directive != name ||
           (row.engine == installed.engine && at_least(installed, row.version));
  });
}

FollowTarget replication_source(const core::NodeAssignment& assignment, bool private_hosts) {
  if (assignment.source.is_followed()) {
    return FollowTarget{assignment.source.host, assignment.source.port};
  }
  if (!assignment.attach) {
    return FollowTarget{assignment.address.str(), kNobodyPort};
  }
  return FollowTarget{core::follow_target(assignment, private_hosts), assignment.primary_port};
}

Result<std::string> render_redis_config(const core::NodeAssignment& assignment,
                                        const InstalledEngine& installed,
                                        const NodeSecrets& secrets, bool private_hosts,
                                        const EngineModules& modules) {
  Directives directives = defaults(installed);
  directives[core::kPaceDirective] = assignment.brisk ? core::kBriskPace : core::kCalmPace;
  // The customer asked for Redis: answer as one where the engine can.
  if (assignment.engine == "redis" && directives.contains("extended-redis-compatibility")) {
    directives["extended-redis-compatibility"] = "yes";
  }
  for (const auto& [name, value] : assignment.directives) {
    if (!is_directive_name(name) || !is_directive_value(value)) {
      return fail(
          ErrorCode::kInvalid,
          fmt::format("node {}: the directive '{}' cannot be written to a configuration file",
                      assignment.node.str(), name));
    }
    if (accepts_directive(installed, name)) {
      directives[name] = value;
    }
  }
  std::string out;
  for (const auto& [name, value] : directives) {
    out += fmt::format("{} {}\n", name, value.empty() ? "\"\"" : value);
  }
  append_fixed(out, assignment, installed, secrets, private_hosts, modules.front);
  if (!modules.fence.empty()) {
    out += fmt::format("loadmodule {} {} {}\n", modules.fence, modules.lease,
                       assignment.address.str());
  }
  return out;
}

bool can_be_fenced(const InstalledEngine& installed) {
  return installed.engine == "valkey" || at_least(installed, "6.0");
}

}  // namespace hikae::engine
