#include "core/catalog/directives.h"

#include <algorithm>
#include <optional>

#include "base/strings.h"

namespace hikae::core {
namespace {

// Where everything is reserved the server still gets this much, so that it can start.
constexpr std::uint64_t kLeastMemory = 1024 * 1024;

struct BufferLimit {
  std::string hard = "0";
  std::string soft = "0";
  std::string seconds = "0";
};
using BufferLimits = std::map<std::string, BufferLimit>;  // by class

std::optional<std::string> effective_value(const Parameter& parameter,
                                           const ParameterValues& overrides) {
  const auto it = overrides.find(std::string(parameter.name));
  if (it != overrides.end()) {
    return it->second;
  }
  if (parameter.value) {
    return std::string(*parameter.value);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> number_of(const ParameterFamily& family, std::string_view name,
                                       const ParameterValues& overrides) {
  const Parameter* parameter = find_parameter(family, name);
  if (parameter == nullptr) {
    return std::nullopt;
  }
  const std::optional<std::string> value = effective_value(*parameter, overrides);
  const std::optional<std::int64_t> number = value ? parse_integer(*value) : std::nullopt;
  if (!number || *number < 0) {
    return std::nullopt;
  }
  return std::uint64_t(*number);
}

std::string mapped(const Parameter& parameter, const std::string& value) {
  for (const std::string& pair : split(parameter.native_values, ',')) {
    const std::size_t equals = pair.find('=');
    if (equals != std::string::npos && pair.substr(0, equals) == value) {
      return pair.substr(equals + 1);
    }
  }
  return value;
}

void set_limit(BufferLimits& limits, const Parameter& parameter, const std::string& value) {
  BufferLimit& limit = limits[std::string(parameter.native_class)];
  if (parameter.native_field == "hard-limit") {
    limit.hard = value;
  } else if (parameter.native_field == "soft-limit") {
    limit.soft = value;
  } else {
    limit.seconds = value;
  }
}

// Replicas' limits come from the node type; only their seconds are a parameter of the group.
std::string render(BufferLimits limits, const NodeType& node_type) {
  std::string text;
  for (auto& [name, limit] : limits) {
    if (name == "replica" || name == "slave") {
      limit.hard = limit.soft = std::to_string(node_type.output_buffer_limit_bytes);
    }
    text += (text.empty() ? "" : " ") + name + " " + limit.hard + " " + limit.soft + " " +
            limit.seconds;
  }
  return text;
}

// The directive through which `parameter` reaches the server; empty when it does not.
std::string_view directive_of(const Parameter& parameter) {
  switch (parameter.native) {
    case Parameter::Native::kDirective:
    case Parameter::Native::kRestart:
      return parameter.name;
    case Parameter::Native::kMapped:
    case Parameter::Native::kComposed:
      return parameter.native_name;
    case Parameter::Native::kService:
    case Parameter::Native::kOption:
      break;
  }
  return {};
}

}  // namespace

std::uint64_t maxmemory_bytes(const ParameterFamily& family, const NodeType& node_type,
                              const ParameterValues& overrides) {
  const std::uint64_t memory = node_type.memory_bytes;
  const std::uint64_t bytes = number_of(family, "reserved-memory", overrides).value_or(0);
  const auto percent = number_of(family, "reserved-memory-percent", overrides);
  // Where a family has both, the percentage counts unless only the bytes were set.
  const bool by_bytes = !percent || (overrides.contains("reserved-memory") &&
                                     !overrides.contains("reserved-memory-percent"));
  std::uint64_t reserved = 0;
  if (by_bytes) {
    reserved = std::min(bytes, memory);
  } else {
    reserved = memory - memory * (100 - std::min<std::uint64_t>(*percent, 100)) / 100;
  }
  return std::max(memory - reserved, kLeastMemory);
}

Directives engine_directives(const ParameterFamily& family, const NodeType& node_type,
                             std::string_view engine_version, const ParameterValues& overrides) {
  Directives directives;
  if (family.engine == "memcached") {
    return directives;
  }
  BufferLimits limits;
  for (const Parameter& parameter : family.parameters) {
    const bool ignored = !parameter.ignored_from.empty() &&
                         compare_versions(engine_version, parameter.ignored_from) >= 0;
    const std::string_view directive = directive_of(parameter);
    if (ignored || directive.empty()) {
      continue;
    }
    // A parameter without a default (notify-keyspace-events) is the server's empty value, so that
    // a reset reaches a running server.
    const std::string value = effective_value(parameter, overrides).value_or("");
    if (parameter.native == Parameter::Native::kComposed) {
      set_limit(limits, parameter, value);
    } else {
      directives.insert_or_assign(std::string(directive), mapped(parameter, value));
    }
  }
  directives["client-output-buffer-limit"] = render(std::move(limits), node_type);
  directives["maxclients"] = std::to_string(node_type.max_clients);
  directives["maxmemory"] = std::to_string(maxmemory_bytes(family, node_type, overrides));
  directives["save"] = "";
  if (!node_type.aof_allowed) {
    directives["appendonly"] = "no";
  }
  return directives;
}

bool changes_live(std::string_view directive) {
  for (const ParameterFamily& family : parameter_families()) {
    for (const Parameter& parameter : family.parameters) {
      if (parameter.change == Parameter::Change::kRequiresReboot &&
          directive_of(parameter) == directive) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace hikae::core
