#include "core/catalog/catalog.h"

#include <algorithm>

#include "base/check.h"

namespace hikae::core {
namespace {

constexpr std::string_view kDefaultPrefix = "default.";
constexpr std::string_view kClusterOnSuffix = ".cluster.on";

// The leading number of `text`, which is then cut off together with the dot behind it. Anything
// that is not a number counts as 0.
std::uint64_t take_number(std::string_view& text) {
  constexpr std::size_t kMaxDigits = 18;
  std::uint64_t number = 0;
  std::size_t i = 0;
  while (i < text.size() && i < kMaxDigits && text[i] >= '0' && text[i] <= '9') {
    number = number * 10 + std::uint64_t(text[i] - '0');
    ++i;
  }
  const std::size_t dot = text.find('.', i);
  text = dot == std::string_view::npos ? std::string_view() : text.substr(dot + 1);
  return number;
}

template <class T>
const T* find_by_name(std::span<const T> table, std::string_view name) {
  const auto it =
      std::find_if(table.begin(), table.end(), [name](const T& row) { return row.name == name; });
  return it == table.end() ? nullptr : &*it;
}

}  // namespace

const NodeType* find_node_type(std::string_view name) {
  return find_by_name(node_types(), name);
}

const ParameterFamily* find_family(std::string_view name) {
  return find_by_name(parameter_families(), name);
}

const Parameter* find_parameter(const ParameterFamily& family, std::string_view name) {
  return find_by_name(family.parameters, name);
}

std::uint64_t value_of(const NodeTypeParameter& parameter, const NodeType& node_type) {
  switch (parameter.value) {
    case NodeTypeParameter::Value::kMemory:
      return node_type.memory_bytes;
    case NodeTypeParameter::Value::kOutputBufferLimit:
      return node_type.output_buffer_limit_bytes;
    case NodeTypeParameter::Value::kMemcachedMemory:
      return node_type.memcached_memory_mb;
    case NodeTypeParameter::Value::kMemcachedThreads:
      return node_type.memcached_threads;
  }
  HIKAE_CHECK(false);
}

std::string_view min_version(const NodeType& node_type, std::string_view engine) {
  if (engine == "redis") {
    return node_type.min_redis;
  }
  if (engine == "valkey") {
    return node_type.min_valkey;
  }
  return engine == "memcached" ? node_type.min_memcached : std::string_view();
}

std::string default_parameter_group_name(const ParameterFamily& family, bool cluster_on) {
  std::string name(kDefaultPrefix);
  name += family.name;
  if (cluster_on) {
    name += kClusterOnSuffix;
  }
  return name;
}

std::optional<DefaultParameterGroup> find_default_parameter_group(std::string_view name) {
  if (!name.starts_with(kDefaultPrefix)) {
    return std::nullopt;
  }
  name.remove_prefix(kDefaultPrefix.size());
  const bool cluster_on = name.ends_with(kClusterOnSuffix);
  if (cluster_on) {
    name.remove_suffix(kClusterOnSuffix.size());
  }
  const ParameterFamily* family = find_family(name);
  if (family == nullptr || (cluster_on && !family->has_cluster_on)) {
    return std::nullopt;
  }
  return DefaultParameterGroup{family, cluster_on};
}

std::optional<std::string_view> default_value(const Parameter& parameter, bool cluster_on) {
  if (cluster_on && parameter.name == "cluster-enabled") {
    return "yes";
  }
  return parameter.value;
}

const EngineVersion* find_engine_version(std::string_view engine, std::string_view requested) {
  const bool newest_of_major = requested.ends_with(".x");
  const std::string_view major =
      newest_of_major ? requested.substr(0, requested.size() - 1) : std::string_view();
  const EngineVersion* found = nullptr;
  for (const EngineVersion& version : engine_versions()) {
    if (version.engine != engine) {
      continue;
    }
    if (version.version == requested) {
      return &version;
    }
    const bool meant = requested.empty() || (newest_of_major && version.version.starts_with(major));
    if (meant && (found == nullptr || compare_versions(found->version, version.version) < 0)) {
      found = &version;
    }
  }
  return found;
}

int compare_versions(std::string_view a, std::string_view b) {
  while (!a.empty() || !b.empty()) {
    const std::uint64_t x = take_number(a);
    const std::uint64_t y = take_number(b);
    if (x != y) {
      return x < y ? -1 : 1;
    }
  }
  return 0;
}

}  // namespace hikae::core
