#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "app/config.h"
#include "app/doctor.h"
#include "app/main/commands.h"
#include "app/main/settings_line.h"
#include "app/serve.h"
#include "app/store_command.h"
#include "base/strings.h"

namespace hikae::app {
namespace {

constexpr int kUsageError = 2;

// What the command line says; empty and false mean that it says nothing.
struct CommandLine {
  EngineLine engine;
  std::string config_file;
  std::string data;
  std::string listen;
  std::vector<std::string> dns_listen;
  std::string region;
  std::string zones;
  std::string domain;
  bool allow_test_credentials = false;
  std::string snapshots;
  std::string buckets;
  std::string s3_endpoint;
  std::string s3_region;
  std::string s3_credentials_file;
  std::string s3_ca_file;
  std::optional<std::int64_t> test_failovers_per_day;
  std::string store;
  std::string local_agents;
  std::string etcd_user;
  std::string etcd_password_file;
  std::string etcd_ca_file;
  std::string etcd_certificate_file;
  std::string etcd_key_file;
  std::string agents_listen;
  std::string rebuild_after;
  std::optional<std::int64_t> lease_ms;
};

void add_store_options(CLI::App& command, CommandLine& line) {
  command
      .add_option("--store", line.store,
                  "State shared by several servers, etcd://HOST:PORT,...[/PREFIX], etcds:// for "
                  "TLS [a file in the data directory]")
      ->option_text("URL");
  command
      .add_option("--local-agents", line.local_agents,
                  "With --store: run the engines here, in this directory, while this server leads")
      ->option_text("DIR");
  command
      .add_option("--etcd-user", line.etcd_user,
                  "User of etcd; its password is in --etcd-password-file or $HIKAE_ETCD_PASSWORD")
      ->option_text("NAME");
  command.add_option("--etcd-password-file", line.etcd_password_file)->option_text("FILE");
  command
      .add_option("--etcd-ca-file", line.etcd_ca_file,
                  "Who signed etcd's certificates [whom the system trusts]")
      ->option_text("FILE");
  command
      .add_option("--etcd-certificate-file", line.etcd_certificate_file,
                  "Certificate for an etcd that wants one")
      ->option_text("FILE");
  command.add_option("--etcd-key-file", line.etcd_key_file, "The certificate's key")
      ->option_text("FILE");
}

void add_bucket_options(CLI::App& command, CommandLine& line) {
  command
      .add_option("--snapshots", line.snapshots,
                  "Where snapshots lie; all servers and hosts have to see it [DATA/snapshots]")
      ->option_text("DIR");
  command
      .add_option("--buckets", line.buckets,
                  "Directory whose directories are the buckets of snapshots [DATA/buckets]")
      ->option_text("DIR");
  command
      .add_option("--s3-endpoint", line.s3_endpoint,
                  "S3-compatible server that has the buckets instead, http(s)://HOST[:PORT]")
      ->option_text("URL");
  command.add_option("--s3-region", line.s3_region, "Its region, for signatures [--region]")
      ->option_text("NAME");
  command
      .add_option("--s3-credentials-file", line.s3_credentials_file,
                  "File with its access key, 0600 [$HIKAE_S3_ACCESS_KEY_ID, "
                  "$HIKAE_S3_SECRET_ACCESS_KEY]")
      ->option_text("FILE");
  command
      .add_option("--s3-ca-file", line.s3_ca_file,
                  "Who signed its certificate [whom the system trusts]")
      ->option_text("FILE");
}

void add_options(CLI::App& command, CommandLine& line) {
  command.add_option("--config", line.config_file, "Configuration file (TOML); options here win")
      ->option_text("FILE");
  command
      .add_option("--data", line.data, "Directory that holds the region [$HIKAE_DATA or ./.hikae]")
      ->option_text("DIR");
  command.add_option("--listen", line.listen, "API [127.0.0.1:4566]")->option_text("ADDRESS:PORT");
  command
      .add_option("--dns-listen", line.dns_listen,
                  "DNS, repeatable [127.0.0.1:4553 and, where permitted, 127.0.0.153:53]")
      ->option_text("ADDRESS:PORT")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_option("--region", line.region, "Name of the region [ap-northeast-1]")
      ->option_text("NAME");
  command.add_option("--zones", line.zones, "Availability zones, a,b,c or full names [a,b,c]")
      ->option_text("LIST");
  command.add_option("--domain", line.domain, "Suffix of endpoint names [cache.hikae.internal]")
      ->option_text("NAME");
  command.add_flag("--allow-test-credentials", line.allow_test_credentials,
                   "Accept access key test with secret test, on loopback only");
  add_engine_options(command, line.engine);
  add_bucket_options(command, line);
  command
      .add_option("--test-failovers-per-day", line.test_failovers_per_day,
                  "Most node groups for TestFailover, 0: any number [0 on loopback, else 15]")
      ->option_text("N");
  add_store_options(command, line);
  command
      .add_option("--agents-listen", line.agents_listen,
                  "Run nodes on hosts whose agents connect here [on this machine alone]")
      ->option_text("ADDRESS:PORT");
  command
      .add_option("--rebuild-after", line.rebuild_after,
                  "Place the nodes of a dead host elsewhere after so long, or never [5m]")
      ->option_text("TIME");
  command
      .add_option("--lease-ms", line.lease_ms,
                  "A primary on a host takes writes for so long unheard of, 0: for ever [1000]")
      ->option_text("N");
}

ConfigSettings settings_of(const CommandLine& line) {
  ConfigSettings settings;
  settings.data_directory = if_said(line.data);
  settings.listen = if_said(line.listen);
  if (!line.dns_listen.empty()) {
    settings.dns_listen = line.dns_listen;
  }
  settings.region = if_said(line.region);
  if (!line.zones.empty()) {
    settings.zones = split(line.zones, ',');
  }
  settings.domain = if_said(line.domain);
  if (line.allow_test_credentials) {
    settings.allow_test_credentials = true;
  }
  take_engine_options(line.engine, settings);
  settings.snapshots = if_said(line.snapshots);
  settings.buckets = if_said(line.buckets);
  settings.s3_endpoint = if_said(line.s3_endpoint);
  settings.s3_region = if_said(line.s3_region);
  settings.s3_credentials_file = if_said(line.s3_credentials_file);
  settings.s3_ca_file = if_said(line.s3_ca_file);
  settings.test_failovers_per_day = line.test_failovers_per_day;
  settings.store = if_said(line.store);
  settings.local_agents = if_said(line.local_agents);
  settings.etcd_user = if_said(line.etcd_user);
  settings.etcd_password_file = if_said(line.etcd_password_file);
  settings.etcd_ca_file = if_said(line.etcd_ca_file);
  settings.etcd_certificate_file = if_said(line.etcd_certificate_file);
  settings.etcd_key_file = if_said(line.etcd_key_file);
  settings.agents_listen = if_said(line.agents_listen);
  settings.rebuild_after = if_said(line.rebuild_after);
  settings.lease_ms = line.lease_ms;
  return settings;
}

Result<ServeConfig> configuration(const CommandLine& line) {
  const auto settings = settings_of(line.config_file, parse_config_file, settings_of(line));
  return settings ? resolve(*settings) : tl::unexpected(settings.error());
}

void add_command(CLI::App& program, Action& action, const char* name, const char* description,
                 int (*run)(const ServeConfig&)) {
  auto line = std::make_shared<CommandLine>();
  CLI::App* command = program.add_subcommand(name, description);
  add_options(*command, *line);
  command->callback([&action, line, name, run] {
    action = [line, name, run] {
      const auto config = configuration(*line);
      if (!config) {
        fmt::print(stderr, "hikae {}: {}\n", name, config.error().message);
        return kUsageError;
      }
      return run(*config);
    };
  });
}

void add_store_command(CLI::App& store, Action& action, const char* name, const char* description,
                       bool is_export) {
  auto line = std::make_shared<CommandLine>();
  auto file = std::make_shared<std::string>();
  auto secrets = std::make_shared<bool>(false);
  CLI::App* command = store.add_subcommand(name, description);
  add_options(*command, *line);
  command->add_option("file", *file, "The exported region")->required()->option_text("FILE");
  if (is_export) {
    command->add_flag("--with-secrets", *secrets,
                      "Put the region's secret and access key into the file too");
  }
  command->callback([&action, line, file, secrets, name, is_export] {
    action = [line, file, secrets, name, is_export] {
      const auto config = configuration(*line);
      if (!config) {
        fmt::print(stderr, "hikae store {}: {}\n", name, config.error().message);
        return kUsageError;
      }
      return is_export ? run_store_export(*config, *file, *secrets)
                       : run_store_import(*config, *file);
    };
  });
}

}  // namespace

void add_store_commands(CLI::App& program, Action& action) {
  CLI::App* store = program.add_subcommand(
      "store", "Move a region as one file, between a data directory and etcd for example");
  store->require_subcommand(1);
  add_store_command(*store, action, "export", "Write the region to a file", true);
  add_store_command(*store, action, "import", "Fill an empty store from a file", false);
}

void add_serve_commands(CLI::App& program, Action& action) {
  add_command(program, action, "serve", "Serve the region until Ctrl-C; engines keep running",
              run_serve);
  add_command(program, action, "doctor", "Say what this machine lacks for serving a region",
              run_doctor);
}

}  // namespace hikae::app
