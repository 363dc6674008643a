#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/catalog/catalog.h"

namespace hikae::core {

// Runs of an engine's periodic task in a second. A full synchronisation takes its steps there: with
// 100 three engines are linked after 24 ms in place of 115 (measured), idle they use six times the
// processor time.
inline constexpr const char* kPaceDirective = "hz";
inline constexpr const char* kBriskPace = "100";
inline constexpr const char* kCalmPace = "10";

// Changed values of a parameter group, by parameter name.
using ParameterValues = std::map<std::string, std::string>;

// A Redis or Valkey server's own directives and their values, as CONFIG SET takes them: in a
// configuration file an empty value must be written as `""`. `client-output-buffer-limit` holds all
// its classes in one value (one line is enough from Redis 7.0 on).
using Directives = std::map<std::string, std::string>;

// What a node of this type is configured with: everything of the parameter group that a stock
// server knows (Redis 7.0 and Valkey 8.0 accept all of it), maxmemory, maxclients, buffer limits,
// no snapshots to disk. `engine_version` is the one the client asked for: some parameters lose
// their effect with it. Overrides that the family does not have are left out. Empty for memcached.
Directives engine_directives(const ParameterFamily& family, const NodeType& node_type,
                             std::string_view engine_version, const ParameterValues& overrides);

// maxmemory in bytes: the node type's memory without the reserved part, never 0 (which would mean
// no limit).
std::uint64_t maxmemory_bytes(const ParameterFamily& family, const NodeType& node_type,
                              const ParameterValues& overrides);

// Whether a change of this directive reaches a running server by CONFIG SET. Otherwise only a
// restart brings it (parameters that AWS marks requires-reboot).
bool changes_live(std::string_view directive);

}  // namespace hikae::core
