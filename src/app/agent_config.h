#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/agent_rpc/channel.h"
#include "base/address.h"
#include "base/result.h"
#include "core/failover/liveness.h"

namespace hikae::app {

// What an agent needs to run the nodes of its host; every value is checked.
struct AgentConfig {
  std::string data_directory;
  std::string name;  // by which the host joins the region
  std::string zone;  // a letter or a whole name; the region knows which there are
  std::vector<net::Peer> servers;
  std::string token_file;  // empty: the host has joined already
  std::vector<AddressRange> addresses;
  std::string interface;  // that gets the addresses; empty: the host has them by itself
  // The address is the host's own, and its nodes share it, each with a port of its own.
  bool shared_addresses = false;
  std::uint64_t memory_bytes = 0;
  std::uint32_t max_nodes = 0;
  bool engines_strict = false;
  std::string valkey_server;  // path of the program, empty: found on PATH
  std::string redis_server;
  // Our module for engines, and the program for those that cannot load it; empty: what is
  // installed. `none`: without.
  std::string fence_module;
  std::string keeper;
  std::string log_file;
  std::string snapshots;  // the region's; empty: the host takes none and restores none
  // Where the logs of the host's nodes are delivered; empty: `logs` in the data directory; nowhere.
  std::string logs_directory;
  std::string logs_webhook;
  core::LivenessLimits limits;  // when a process counts as hung
};

// What was said in one place; unset where nothing was said.
struct AgentSettings {
  std::optional<std::string> data_directory;
  std::optional<std::string> name;
  std::optional<std::string> zone;
  std::optional<std::vector<std::string>> servers;
  std::optional<std::string> token_file;
  std::optional<std::string> addresses;
  std::optional<std::string> memory;
  std::optional<std::int64_t> max_nodes;
  std::optional<bool> engines_strict;
  std::optional<std::string> valkey_server;
  std::optional<std::string> redis_server;
  std::optional<std::string> fence_module;
  std::optional<std::string> keeper;
  std::optional<std::string> log_file;
  std::optional<std::string> snapshots;
  std::optional<std::string> logs_directory;
  std::optional<std::string> logs_webhook;
  std::optional<std::int64_t> hang_ms;
  std::optional<std::int64_t> busy_ms;
};

// Reads a configuration file. Its keys, each optional:
//
//   data = "/srv/agent"
//   name = "h1"
//   zone = "a"
//   join = ["https://server1:4567", "server2"]
//   token_file = "/etc/hikae/token"
//   addresses = "10.0.0.50-10.0.0.80@eth0"    or "host", or "host:10.0.0.7"
//   memory = "24GiB"
//   max_nodes = 100
//   log_file = "/var/log/hikae.log"
//   snapshots = "/srv/snapshots"
//   [engines]
//   fence_module = "/usr/lib/hikae/fence.so"  or "none"
//   keeper = "/usr/lib/hikae/hikae-keeper"    or "none"
//   strict, valkey_server, redis_server, and [failover] hang_ms, busy_ms as of serve
//   [logs]
//   directory = "/srv/logs"
//   webhook = "https://hooks.example.com/logs"
Result<AgentSettings> parse_agent_file(std::string_view text, const std::string& file_name);

AgentSettings merge(AgentSettings base, const AgentSettings& over);

// Fills in the defaults and checks every value. kInvalid names the setting. `host_name` and
// `host_memory` are this machine's. Where the host's own address is to be used and is not named,
// `addresses` stays empty: see find_own_address().
Result<AgentConfig> resolve(const AgentSettings& settings, const std::string& host_name,
                            std::uint64_t host_memory);

// The address by which this machine reaches the first server that it can reach: the host's own.
Status find_own_address(AgentConfig& config);

// `512MiB`, `24GiB`; also `M` and `G` alone.
std::optional<std::uint64_t> parse_size(std::string_view text);

}  // namespace hikae::app
