#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Facts about what ElastiCache offers: engine versions, node types, parameter families. Tables are
// generated from model/ by tools/generate_catalog.py and never change at run time.

namespace hikae::core {

struct EngineVersion {
  std::string_view engine;   // `redis`, `valkey`, `memcached`
  std::string_view version;  // as DescribeCacheEngineVersions answers it: `5.0.6`, `6.2`
  std::string_view full;     // as a cache cluster answers it: `5.0.6`, `6.2.6`
  std::string_view family;   // `redis5.0`
};

struct NodeType {
  std::string_view name;
  std::uint64_t memory_bytes;  // documented maxmemory for Redis and Valkey
  std::uint32_t max_clients;
  std::uint64_t output_buffer_limit_bytes;  // replicas, hard and soft
  std::string_view min_redis;               // empty: not offered
  std::string_view min_valkey;
  std::string_view min_memcached;
  bool multi_az_allowed;
  bool aof_allowed;                   // append-only files, where the engine version has them
  std::uint32_t memcached_memory_mb;  // 0: not offered for memcached
  std::uint32_t memcached_threads;
};

struct Parameter {
  enum class Change { kImmediate, kRequiresReboot };
  enum class Native {
    kDirective,  // the engine's directive of the same name
    kComposed,   // one field of a directive with several (client-output-buffer-limit)
    kMapped,     // a directive of another name
    kService,    // handled by us, not passed to the engine
    kRestart,    // same-named directive that only a restart changes
    kOption,     // memcached: a command line option
  };
  std::string_view name;
  std::optional<std::string_view> value;  // default; nullopt: answered without a value
  std::string_view data_type;
  std::string_view allowed_values;
  bool modifiable;
  Change change;
  std::string_view min_engine_version;
  Native native;
  std::string_view native_name;    // kMapped, kComposed: the directive; kOption: the option
  std::string_view native_class;   // kComposed: `normal`, `pubsub`, `replica` (`slave` before 5.0)
  std::string_view native_field;   // kComposed: `hard-limit`, `soft-limit`, `soft-seconds`
  std::string_view native_values;  // kMapped: `ours=theirs,...`; a value not listed stays
  // May be set although not modifiable, as long as no cluster uses the group.
  bool modifiable_when_unattached;
  std::string_view ignored_from;  // has no effect from this engine version on; empty: always has
  bool space_separated;           // the value is `NAME new-name ...`, names from allowed_values
  std::string_view characters;    // not empty: the value consists of these
  std::string_view engine_max;    // the engine refuses more, where allowed_values is open
};

// A parameter whose default depends on the node type (DescribeCacheParameters'
// CacheNodeTypeSpecificParameters).
struct NodeTypeParameter {
  enum class Value { kMemory, kOutputBufferLimit, kMemcachedMemory, kMemcachedThreads };
  std::string_view name;
  std::string_view data_type;
  std::string_view allowed_values;
  bool modifiable;
  Parameter::Change change;
  std::string_view min_engine_version;
  Value value;  // the fact of the node type that it shows
};

struct ParameterFamily {
  std::string_view name;  // `redis2.8`
  std::string_view engine;
  bool has_cluster_on;                    // `default.<name>.cluster.on` exists too
  std::span<const Parameter> parameters;  // in the order of answers: by name, hyphens ignored
  std::span<const NodeTypeParameter> node_type_parameters;
};

std::span<const EngineVersion> engine_versions();  // sorted as strings by engine, then version
std::span<const NodeType> node_types();
std::span<const ParameterFamily> parameter_families();

const NodeType* find_node_type(std::string_view name);
const ParameterFamily* find_family(std::string_view name);
const Parameter* find_parameter(const ParameterFamily& family, std::string_view name);

// The value that DescribeCacheParameters shows for this node type.
std::uint64_t value_of(const NodeTypeParameter& parameter, const NodeType& node_type);

// The first version of `engine` that runs on this node type; empty: not offered.
std::string_view min_version(const NodeType& node_type, std::string_view engine);

// A group that exists in every region and never changes: `default.redis2.8`,
// `default.redis5.0.cluster.on`.
struct DefaultParameterGroup {
  const ParameterFamily* family;
  bool cluster_on;
};
std::string default_parameter_group_name(const ParameterFamily& family, bool cluster_on);
std::optional<DefaultParameterGroup> find_default_parameter_group(std::string_view name);

// The default of `parameter` in a group; `cluster_on` sets cluster-enabled.
std::optional<std::string_view> default_value(const Parameter& parameter, bool cluster_on);

// The version a request means: omitted is the newest of the engine, `6.x` the newest 6. nullptr
// when there is none, also for the full form of a version that is chosen as `major.minor`.
const EngineVersion* find_engine_version(std::string_view engine, std::string_view requested);

// Compares dotted numbers: -1, 0, 1. `6.2` equals `6.2.0`.
int compare_versions(std::string_view a, std::string_view b);

}  // namespace hikae::core
