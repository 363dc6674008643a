#include <memory>

#include <fmt/format.h>

#include "adapters/system/machine.h"
#include "app/agent.h"
#include "app/config.h"
#include "app/host_command.h"
#include "app/main/commands.h"
#include "app/main/settings_line.h"
#include "base/strings.h"

namespace hikae::app {
namespace {

constexpr int kUsageError = 2;

// What the command line of `agent` says; empty and false mean that it says nothing.
struct AgentLine {
  EngineLine engine;
  std::string config_file;
  std::string data;
  std::string name;
  std::string zone;
  std::vector<std::string> servers;
  std::string token_file;
  std::string addresses;
  std::string memory;
  std::optional<std::int64_t> max_nodes;
  std::string snapshots;
  std::string fence_module;
  std::string keeper;
};

void add_options(CLI::App& command, AgentLine& line) {
  command.add_option("--config", line.config_file, "Configuration file (TOML); options here win")
      ->option_text("FILE");
  command
      .add_option("--data", line.data, "Directory of this host's nodes [$HIKAE_DATA or ./.hikae]")
      ->option_text("DIR");
  command.add_option("--zone", line.zone, "Availability zone of this host, a letter or whole name")
      ->option_text("ZONE");
  command.add_option("--join", line.servers, "Servers of the region, https://server1:4567,server2")
      ->option_text("LIST")
      ->delimiter(',');
  command
      .add_option("--token-file", line.token_file,
                  "File with a join token; only until it has joined")
      ->option_text("FILE");
  command
      .add_option("--addresses", line.addresses,
                  "For nodes, 10.0.0.50-10.0.0.80@eth0; without @ the host has them already; host: "
                  "its own, one port for each node")
      ->option_text("POOL");
  command.add_option("--name", line.name, "Name of this host [the machine's]")->option_text("NAME");
  command.add_option("--memory", line.memory, "For nodes [all of the machine's]")
      ->option_text("SIZE");
  command.add_option("--max-nodes", line.max_nodes, "At most so many nodes [1000]")
      ->option_text("N");
  add_engine_options(command, line.engine);
  command
      .add_option("--fence-module", line.fence_module,
                  "Module by which engines refuse writes without a lease, or none [installed]")
      ->option_text("FILE");
  command
      .add_option("--keeper", line.keeper,
                  "Program that stops engines without that module when their lease is over, or "
                  "none [installed]")
      ->option_text("FILE");
  command
      .add_option("--snapshots", line.snapshots,
                  "Where the region's snapshots lie, a directory that the servers see too")
      ->option_text("DIR");
}

AgentSettings settings_of(const AgentLine& line) {
  AgentSettings settings;
  settings.data_directory = if_said(line.data);
  settings.name = if_said(line.name);
  settings.zone = if_said(line.zone);
  if (!line.servers.empty()) {
    settings.servers = line.servers;
  }
  settings.token_file = if_said(line.token_file);
  settings.addresses = if_said(line.addresses);
  settings.memory = if_said(line.memory);
  settings.max_nodes = line.max_nodes;
  take_engine_options(line.engine, settings);
  settings.snapshots = if_said(line.snapshots);
  settings.fence_module = if_said(line.fence_module);
  settings.keeper = if_said(line.keeper);
  return settings;
}

Result<AgentConfig> configuration(const AgentLine& line) {
  const auto settings = settings_of(line.config_file, parse_agent_file, settings_of(line));
  if (!settings) {
    return tl::unexpected(settings.error());
  }
  auto config = resolve(*settings, adapters::machine_name(), adapters::machine_memory());
  if (config) {
    if (Status own = find_own_address(*config); !own) {
      return tl::unexpected(own.error());
    }
  }
  return config;
}

void add_agent(CLI::App& program, Action& action) {
  auto line = std::make_shared<AgentLine>();
  CLI::App* command = program.add_subcommand(
      "agent", "Run the nodes of this host for a region that is served elsewhere");
  add_options(*command, *line);
  command->callback([&action, line] {
    action = [line] {
      const auto config = configuration(*line);
      if (!config) {
        fmt::print(stderr, "hikae agent: {}\n", config.error().message);
        return kUsageError;
      }
      return run_agent(*config);
    };
  });
}

struct HostLine {
  std::string data;
  std::string host;
  bool lost = false;
  std::string lifetime = "1h";
  std::string output;
  std::string timeout;
  bool stop = false;
};

CLI::App* add_host_action(CLI::App& host, Action& action, const std::string& name,
                          const char* description, const std::shared_ptr<HostLine>& line) {
  CLI::App* command = host.add_subcommand(name, description);
  command
      ->add_option("--data", line->data,
                   "Directory that holds the region [$HIKAE_DATA or ./.hikae]")
      ->option_text("DIR");
  command->callback([&action, line, name] {
    action = [line, name] {
      const auto lifetime = parse_duration(line->lifetime);
      if (!lifetime) {
        fmt::print(stderr, "hikae host {}: --ttl is \"{}\", which is not a time such as 1h\n", name,
                   line->lifetime);
        return kUsageError;
      }
      return run_host(HostCommand{data_directory_or_default(line->data),
                                  name,
                                  line->host,
                                  line->lost,
                                  *lifetime,
                                  {},
                                  line->output});
    };
  });
  return command;
}

void add_drain(CLI::App& host, Action& action) {
  auto line = std::make_shared<HostLine>();
  CLI::App* command = host.add_subcommand(
      "drain", "Move all nodes of a host to others of its zone, with their data");
  command
      ->add_option("--data", line->data,
                   "Directory that holds the region [$HIKAE_DATA or ./.hikae]")
      ->option_text("DIR");
  command->add_option("host", line->host)->required();
  auto* timeout = command->add_option("--timeout", line->timeout, "Give up after so long [never]")
                      ->option_text("TIME");
  command->add_flag("--stop", line->stop, "End a drain; the host stays cordoned")
      ->excludes(timeout);
  command->callback([&action, line] {
    action = [line] {
      const auto time =
          line->timeout.empty() ? std::optional(Duration()) : parse_duration(line->timeout);
      if (!time) {
        fmt::print(stderr,
                   "hikae host drain: --timeout is \"{}\", which is not a time such as 30m\n",
                   line->timeout);
        return kUsageError;
      }
      HostCommand asked;
      asked.data_directory = data_directory_or_default(line->data);
      asked.action = line->stop ? "stop-drain" : "drain";
      asked.host = line->host;
      asked.timeout = *time;
      return run_host(asked);
    };
  });
}

void add_named_host_action(CLI::App& host, Action& action, const char* name,
                           const char* description) {
  auto line = std::make_shared<HostLine>();
  CLI::App* command = add_host_action(host, action, name, description, line);
  command->add_option("host", line->host)->required();
  if (std::string_view(name) == "remove") {
    command->add_flag("--lost", line->lost,
                      "The machine is gone for good: place its nodes elsewhere");
  }
}

}  // namespace

void add_host_commands(CLI::App& program, Action& action) {
  add_agent(program, action);
  CLI::App* host =
      program.add_subcommand("host", "List, add and remove the hosts of a region with agents");
  host->require_subcommand(1);
  auto list = std::make_shared<HostLine>();
  add_host_action(*host, action, "list", "Print the hosts and what they have left", list);
  auto token = std::make_shared<HostLine>();
  CLI::App* command =
      add_host_action(*host, action, "token", "Make a token with which new hosts can join", token);
  command->add_option("--ttl", token->lifetime, "How long it is good [1h]")->option_text("TIME");
  command->add_option("--output", token->output, "Write it to a file of mode 0600")
      ->option_text("FILE");
  add_named_host_action(*host, action, "cordon", "Place no new nodes on a host");
  add_named_host_action(*host, action, "uncordon", "Place nodes on it again");
  add_drain(*host, action);
  add_named_host_action(*host, action, "remove", "Remove a host from the region");
}

}  // namespace hikae::app
