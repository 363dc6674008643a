#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/time.h"
#include "core/failover/liveness.h"
#include "net/connection.h"

namespace hikae::app {

inline constexpr const char* kDefaultDataDirectory = "./.hikae";

// `127.0.0.1:4566`. Port 0 asks the system for a free one.
struct SocketAddress {
  Ipv4 address;
  std::uint16_t port = 0;
  static std::optional<SocketAddress> parse(std::string_view text);
  std::string str() const;
  friend bool operator==(const SocketAddress&, const SocketAddress&) = default;
};

// A state in etcd, which several servers share.
struct EtcdConfig {
  std::vector<net::Peer> endpoints;
  bool tls = false;
  std::string prefix;         // of every key; `/hikae/ap-northeast-1`
  std::string user;           // empty: no authentication
  std::string password_file;  // empty: $HIKAE_ETCD_PASSWORD
  std::string ca_file;        // empty: whom the system trusts
  std::string certificate_file;
  std::string key_file;
};

// A server that speaks the protocol of S3 and has the buckets of snapshots.
struct S3Config {
  net::Peer server;
  bool tls = false;
  std::string host;              // as requests name it
  std::string region;            // of signatures
  std::string credentials_file;  // empty: $HIKAE_S3_ACCESS_KEY_ID, $HIKAE_S3_SECRET_ACCESS_KEY
  std::string ca_file;           // empty: whom the system trusts
};

// What a region needs to run; every value is checked.
struct ServeConfig {
  std::string data_directory;
  SocketAddress listen;                   // the API
  std::vector<SocketAddress> dns_listen;  // each has to work
  // Tried too, and left out without complaint where the machine forbids it (a port below 1024).
  std::vector<SocketAddress> dns_listen_if_permitted;
  std::string region;
  std::vector<std::string> zones;  // full names, `ap-northeast-1a`
  std::string domain;              // suffix of every endpoint name, lower case, no dot at the end
  bool allow_test_credentials = false;
  bool engines_strict =
      false;                  // refuse a version that is not installed instead of the nearest newer
  std::string valkey_server;  // path of the program, empty: found on PATH
  std::string redis_server;
  std::string log_file;  // beside stderr, empty: none
  // Where events of caches with a notification topic are told, both empty: nowhere.
  std::string notifications_webhook;
  std::string notifications_file;
  // Where the logs of nodes of this machine are delivered. Empty: `logs` beside the nodes; nowhere.
  std::string logs_directory;
  std::string logs_webhook;
  // Where snapshots lie. Several servers and agents on other hosts need one that all of them see.
  // Empty: `snapshots` beside the nodes of this machine.
  std::string snapshots;
  // Directories in this one are the buckets of SnapshotArns and CopySnapshot; empty: `buckets`
  // beside the nodes.
  std::string buckets;
  std::optional<S3Config> s3;  // set: the buckets are there, and not in a directory
  // When a process counts as hung: it does nothing at all, or it works without answering (0: never
  // for that). core/failover/liveness.h
  Duration hang{};
  Duration busy{};
  std::size_t test_failovers_per_day = 0;  // node groups that TestFailover may hit; 0: any number
  std::optional<EtcdConfig> etcd;  // unset: the state is a SQLite file in the data directory
  // Where the engines are that this process runs while it leads; empty: it runs none, and does not
  // lead. Without etcd it is the data directory.
  std::string local_agents;
  // Where agents of other hosts connect; nullopt: the nodes run on this machine alone.
  std::optional<SocketAddress> agents_listen;
  Duration agents_certificate_lifetime{};
  // A host that was out of reach for so long, and whose engines do not answer either, is taken for
  // dead: its nodes are placed elsewhere. Zero: never.
  Duration rebuild_after{};
  // How long the leases of primaries on hosts that joined are; zero: none are granted.
  Duration lease{};
};

// What was said in one place (the file, the command line); unset where nothing was said.
struct ConfigSettings {
  std::optional<std::string> data_directory;
  std::optional<std::string> listen;
  std::optional<std::vector<std::string>> dns_listen;
  std::optional<std::string> region;
  std::optional<std::vector<std::string>> zones;  // `a` or `ap-northeast-1a`
  std::optional<std::string> domain;
  std::optional<bool> allow_test_credentials;
  std::optional<bool> engines_strict;
  std::optional<std::string> valkey_server;
  std::optional<std::string> redis_server;
  std::optional<std::string> log_file;
  std::optional<std::string> notifications_webhook;
  std::optional<std::string> notifications_file;
  std::optional<std::string> logs_directory;
  std::optional<std::string> logs_webhook;
  std::optional<std::string> snapshots;
  std::optional<std::string> buckets;
  std::optional<std::string> s3_endpoint;
  std::optional<std::string> s3_region;
  std::optional<std::string> s3_credentials_file;
  std::optional<std::string> s3_ca_file;
  std::optional<std::int64_t> hang_ms;
  std::optional<std::int64_t> busy_ms;
  std::optional<std::int64_t> test_failovers_per_day;
  std::optional<std::string> store;
  std::optional<std::string> local_agents;
  std::optional<std::string> etcd_user;
  std::optional<std::string> etcd_password_file;
  std::optional<std::string> etcd_ca_file;
  std::optional<std::string> etcd_certificate_file;
  std::optional<std::string> etcd_key_file;
  std::optional<std::string> agents_listen;
  std::optional<std::string> agents_certificate_lifetime;  // `90d`
  std::optional<std::string> rebuild_after;                // `5m` or `never`
  std::optional<std::int64_t> lease_ms;
};

// Reads a configuration file. Its keys, each optional:
//
//   data = "/srv/region"
//   listen = "127.0.0.1:4566"
//   region = "ap-northeast-1"
//   zones = ["a", "b", "c"]
//   domain = "cache.hikae.internal"
//   allow_test_credentials = false
//   log_file = "/var/log/hikae.log"
//   store = "etcd://h1:2379,h2:2379,h3:2379"
//   local_agents = "/srv/region"
//   snapshots = "/srv/snapshots"
//   buckets = "/srv/buckets"
//   [dns]
//   listen = ["127.0.0.1:4553"]
//   [engines]
//   strict = false
//   valkey_server = "/usr/bin/valkey-server"
//   redis_server = "/usr/bin/redis-server"
//   [failover]
//   hang_ms = 100
//   busy_ms = 60000
//   test_failovers_per_day = 15
//   [s3]
//   endpoint = "https://s3.example.com"
//   region = "us-east-1"
//   credentials_file = "/etc/hikae/s3-credentials"
//   ca_file = "/etc/hikae/s3-ca.pem"
//   [etcd]
//   user = "hikae"
//   password_file = "/etc/hikae/etcd-password"
//   ca_file = "/etc/hikae/etcd-ca.pem"
//   certificate_file = "/etc/hikae/etcd-client.pem"
//   key_file = "/etc/hikae/etcd-client.key"
//   [notifications]
//   webhook = "https://hooks.example.com/cache"
//   file = "/var/log/hikae-notifications.jsonl"
//   [logs]
//   directory = "/srv/logs"
//   webhook = "https://hooks.example.com/logs"
//   [agents]
//   listen = "10.0.0.1:4567"
//   certificate_lifetime = "90d"
//   rebuild_after = "5m"
//   lease_ms = 1000
//
// kInvalid: not TOML, an unknown key, or a value of the wrong type; the message names file, line,
// key.
Result<ConfigSettings> parse_config_file(std::string_view text, const std::string& file_name);

// The settings of `over` where it has them, else those of `base`.
ConfigSettings merge(ConfigSettings base, const ConfigSettings& over);

// Fills in the defaults and checks every value. kInvalid names the setting.
Result<ServeConfig> resolve(const ConfigSettings& settings);

// kInvalid: the text, of the setting `key`, is not empty and no URL to post to.
Status check_webhook(std::string_view key, const std::string& text);

// Takes `etcd://host:port,host:port/prefix` apart, or `etcds://` for TLS. Without a prefix the keys
// begin with `/hikae/<region>`. kInvalid says what is wrong with it.
Result<EtcdConfig> parse_store(std::string_view url, const std::string& region);
// Takes `http://host:port` apart, or `https://`; the protocol's port where none is named.
// kInvalid says what is wrong with it.
Result<S3Config> parse_s3_endpoint(std::string_view url);
// When a process counts as hung, from `failover.hang_ms` and `failover.busy_ms`.
Result<core::LivenessLimits> resolve_liveness(std::optional<std::int64_t> hang_ms,
                                              std::optional<std::int64_t> busy_ms);

// `45s`, `30m`, `12h`, `90d`; more than nothing and at most ten years.
std::optional<Duration> parse_duration(std::string_view text);

// `given`, else $HIKAE_DATA, else ./.hikae.
std::string data_directory_or_default(const std::string& given);

}  // namespace hikae::app
