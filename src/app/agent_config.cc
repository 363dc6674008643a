#include "app/agent_config.h"

#include <algorithm>

#include <fmt/format.h>

#include "adapters/system/machine.h"
#include "app/config.h"
#include "app/settings_file.h"
#include "base/strings.h"
#include "core/admission/host.h"

namespace hikae::app {
namespace {

constexpr std::size_t kMaxServers = 16;

Status resolve_servers(const AgentSettings& settings, AgentConfig& config) {
  for (const std::string& text : settings.servers.value_or(std::vector<std::string>())) {
    const auto server = agent_rpc::parse_server(text);
    if (!server) {
      return bad_setting("join", text, "a server such as https://server1:4567");
    }
    config.servers.push_back(*server);
  }
  if (config.servers.empty() || config.servers.size() > kMaxServers) {
    return fail(ErrorCode::kInvalid,
                fmt::format("join needs 1 to {} servers of the region: --join https://server1:4567",
                            kMaxServers));
  }
  return {};
}

// `10.0.0.50-10.0.0.80,10.0.1.0/28@eth0`
Status resolve_addresses(const AgentSettings& settings, AgentConfig& config) {
  if (!settings.addresses) {
    return fail(ErrorCode::kInvalid,
                "addresses is missing: say which ones the nodes of this host may use, such as "
                "--addresses 10.0.0.50-10.0.0.80@eth0");
  }
  const std::string& text = *settings.addresses;
  constexpr std::string_view kOwn = "host";
  config.shared_addresses = text == kOwn || text.starts_with(std::string(kOwn) + ":");
  if (config.shared_addresses) {
    const auto own = AddressRange::parse(text.substr(std::min(text.size(), kOwn.size() + 1)));
    if (text == kOwn) {
      return {};
    }
    if (!own || own->size() != 1) {
      return bad_setting("addresses", text, "host, or host:10.0.0.7 with one of its addresses");
    }
    config.addresses = {*own};
    return {};
  }
  const auto at = text.find('@');
  config.interface = at == std::string::npos ? "" : text.substr(at + 1);
  for (const std::string& part : split(text.substr(0, at), ',')) {
    const auto range = AddressRange::parse(trim(part));
    if (!range) {
      return bad_setting("addresses", text, "a list of addresses such as 10.0.0.50-10.0.0.80@eth0");
    }
    config.addresses.push_back(*range);
  }
  if (at != std::string::npos && config.interface.empty()) {
    return bad_setting("addresses", text, "a list of addresses and, behind @, an interface");
  }
  return {};
}

Status resolve_capacity(const AgentSettings& settings, AgentConfig& config,
                        std::uint64_t host_memory) {
  config.memory_bytes = host_memory;
  if (settings.memory) {
    const auto memory = parse_size(*settings.memory);
    if (!memory) {
      return bad_setting("memory", *settings.memory, "a size such as 24GiB");
    }
    config.memory_bytes = *memory;
  }
  const std::int64_t nodes = settings.max_nodes.value_or(1000);
  if (nodes < 1 || nodes > core::kMaxNodesOfHost) {
    return bad_setting("max_nodes", std::to_string(nodes),
                       fmt::format("a number from 1 to {}", core::kMaxNodesOfHost));
  }
  config.max_nodes = std::uint32_t(nodes);
  return {};
}

}  // namespace

Result<AgentSettings> parse_agent_file(std::string_view text, const std::string& file_name) {
  AgentSettings settings;
  const Status status = read_settings(text, file_name,
                                      {
                                          {"data", &settings.data_directory},
                                          {"name", &settings.name},
                                          {"zone", &settings.zone},
                                          {"join", &settings.servers},
                                          {"token_file", &settings.token_file},
                                          {"addresses", &settings.addresses},
                                          {"memory", &settings.memory},
                                          {"max_nodes", &settings.max_nodes},
                                          {"log_file", &settings.log_file},
                                          {"snapshots", &settings.snapshots},
                                          {"logs.directory", &settings.logs_directory},
                                          {"logs.webhook", &settings.logs_webhook},
                                          {"engines.strict", &settings.engines_strict},
                                          {"engines.valkey_server", &settings.valkey_server},
                                          {"engines.redis_server", &settings.redis_server},
                                          {"engines.fence_module", &settings.fence_module},
                                          {"engines.keeper", &settings.keeper},
                                          {"failover.hang_ms", &settings.hang_ms},
                                          {"failover.busy_ms", &settings.busy_ms},
                                      });
  if (!status) {
    return tl::unexpected(status.error());
  }
  return settings;
}

AgentSettings merge(AgentSettings base, const AgentSettings& over) {
  take_over(base.data_directory, over.data_directory);
  take_over(base.name, over.name);
  take_over(base.zone, over.zone);
  take_over(base.servers, over.servers);
  take_over(base.token_file, over.token_file);
  take_over(base.addresses, over.addresses);
  take_over(base.memory, over.memory);
  take_over(base.max_nodes, over.max_nodes);
  take_over(base.engines_strict, over.engines_strict);
  take_over(base.valkey_server, over.valkey_server);
  take_over(base.redis_server, over.redis_server);
  take_over(base.fence_module, over.fence_module);
  take_over(base.keeper, over.keeper);
  take_over(base.log_file, over.log_file);
  take_over(base.snapshots, over.snapshots);
  take_over(base.logs_directory, over.logs_directory);
  take_over(base.logs_webhook, over.logs_webhook);
  take_over(base.hang_ms, over.hang_ms);
  take_over(base.busy_ms, over.busy_ms);
  return base;
}

Result<AgentConfig> resolve(const AgentSettings& settings, const std::string& host_name,
                            std::uint64_t host_memory) {
  AgentConfig config;
  config.data_directory = data_directory_or_default(settings.data_directory.value_or(""));
  config.name = settings.name.value_or(to_lower(host_name.substr(0, host_name.find('.'))));
  config.zone = settings.zone.value_or("");
  if (config.zone.empty()) {
    return fail(
        ErrorCode::kInvalid,
        "zone is missing: say in which availability zone this host stands, such as --zone a");
  }
  if (Status servers = resolve_servers(settings, config); !servers) {
    return tl::unexpected(servers.error());
  }
  if (Status addresses = resolve_addresses(settings, config); !addresses) {
    return tl::unexpected(addresses.error());
  }
  if (Status capacity = resolve_capacity(settings, config, host_memory); !capacity) {
    return tl::unexpected(capacity.error());
  }
  const auto limits = resolve_liveness(settings.hang_ms, settings.busy_ms);
  if (!limits) {
    return tl::unexpected(limits.error());
  }
  config.limits = *limits;
  config.token_file = settings.token_file.value_or("");
  config.engines_strict = settings.engines_strict.value_or(false);
  config.valkey_server = settings.valkey_server.value_or("");
  config.redis_server = settings.redis_server.value_or("");
  config.fence_module = settings.fence_module.value_or("");
  config.keeper = settings.keeper.value_or("");
  config.log_file = settings.log_file.value_or("");
  config.snapshots = settings.snapshots.value_or("");
  config.logs_directory = settings.logs_directory.value_or("");
  config.logs_webhook = settings.logs_webhook.value_or("");
  if (Status webhook = check_webhook("logs.webhook", config.logs_webhook); !webhook) {
    return tl::unexpected(webhook.error());
  }
  return config;
}

Status find_own_address(AgentConfig& config) {
  if (!config.shared_addresses || !config.addresses.empty()) {
    return {};
  }
  for (const net::Peer& server : config.servers) {
    if (const auto own = adapters::address_towards(server.host, server.port)) {
      config.addresses = {AddressRange{*own, *own}};
      return {};
    }
  }
  return fail(ErrorCode::kUnavailable,
              fmt::format("this machine has no route to {}, so its own address is not known; name "
                          "it: --addresses host:10.0.0.7",
                          config.servers.front().str()));
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::int64_t kMostMiB = std::int64_t(1) << 30;
  const auto unit = text.find_first_not_of("0123456789");
  const auto count = parse_integer(text.substr(0, unit));
  const std::string_view name = unit == std::string_view::npos ? "" : text.substr(unit);
  const bool mib = name == "MiB" || name == "M";
  const bool gib = name == "GiB" || name == "G";
  if (!count || *count <= 0 || *count > kMostMiB || (!mib && !gib)) {
    return std::nullopt;
  }
  return std::uint64_t(*count) << (gib ? 30 : 20);
}

}  // namespace hikae::app
