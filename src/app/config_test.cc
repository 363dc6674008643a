#include "app/config.h"

#include <gtest/gtest.h>

namespace hikae::app {
namespace {

std::string refusal(std::string_view text) {
  const auto parsed = parse_config_file(text, "h.toml");
  if (!parsed) {
    return parsed.error().message;
  }
  const auto resolved = resolve(*parsed);
  return resolved ? "accepted" : resolved.error().message;
}

TEST(Config, DefaultsServeOneMachine) {
  const auto config = resolve(ConfigSettings());
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->listen.str(), "127.0.0.1:4566");
  ASSERT_EQ(config->dns_listen.size(), 1u);
  EXPECT_EQ(config->dns_listen[0].str(), "127.0.0.1:4553");
  EXPECT_EQ(config->dns_listen_if_permitted[0].str(), "127.0.0.153:53");
  EXPECT_EQ(config->region, "ap-northeast-1");
  EXPECT_EQ(config->zones,
            (std::vector<std::string>{"ap-northeast-1a", "ap-northeast-1b", "ap-northeast-1c"}));
  EXPECT_EQ(config->domain, "cache.hikae.internal");
  EXPECT_FALSE(config->allow_test_credentials);
  EXPECT_FALSE(config->agents_listen);
  EXPECT_EQ(config->hang, std::chrono::milliseconds(100));
  EXPECT_EQ(config->busy, std::chrono::seconds(60));
  EXPECT_EQ(config->test_failovers_per_day, 0u);
}

TEST(Config, BeyondLoopbackTestFailoversAreLimitedAsOnAws) {
  ConfigSettings settings;
  settings.listen = "192.0.2.1:4566";
  EXPECT_EQ(resolve(settings)->test_failovers_per_day, 15u);
  settings.test_failovers_per_day = 0;
  EXPECT_EQ(resolve(settings)->test_failovers_per_day, 0u);
}

TEST(Config, DurationsHaveAUnit) {
  EXPECT_EQ(parse_duration("45s"), std::chrono::seconds(45));
  EXPECT_EQ(parse_duration("90d"), std::chrono::hours(90 * 24));
  for (const char* text : {"", "s", "5", "0s", "-1h", "1w", "99999999999999999d", "1.5h"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Config, TheFileSetsEverything) {
  const auto parsed = parse_config_file(R"(
data = "/srv/region"
listen = "127.0.0.1:0"
region = "us-gov-west-1"
zones = ["a", "us-gov-west-1c"]
domain = "Cache.Example.Org"
allow_test_credentials = true
log_file = "/var/log/hikae.log"
[dns]
listen = ["127.0.0.2:53", "127.0.0.2:5353"]
[engines]
strict = true
valkey_server = "/opt/valkey/bin/valkey-server"
redis_server = "/opt/redis/bin/redis-server"
[failover]
hang_ms = 250
busy_ms = 0
test_failovers_per_day = 3
[agents]
listen = "10.0.0.1:4567"
certificate_lifetime = "12h"
rebuild_after = "never"
)",
                                        "h.toml");
  ASSERT_TRUE(parsed) << parsed.error().message;
  const auto config = resolve(*parsed);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->data_directory, "/srv/region");
  EXPECT_EQ(config->listen.port, 0);
  EXPECT_EQ(config->zones, (std::vector<std::string>{"us-gov-west-1a", "us-gov-west-1c"}));
  EXPECT_EQ(config->domain, "cache.example.org");
  EXPECT_TRUE(config->allow_test_credentials);
  EXPECT_EQ(config->dns_listen.size(), 2u);
  EXPECT_TRUE(config->dns_listen_if_permitted.empty());
  EXPECT_TRUE(config->engines_strict);
  EXPECT_EQ(config->valkey_server, "/opt/valkey/bin/valkey-server");
  EXPECT_EQ(config->redis_server, "/opt/redis/bin/redis-server");
  EXPECT_EQ(config->agents_listen->str(), "10.0.0.1:4567");
  EXPECT_EQ(config->agents_certificate_lifetime, std::chrono::hours(12));
  EXPECT_EQ(config->rebuild_after, Duration());
  EXPECT_EQ(config->log_file, "/var/log/hikae.log");
  EXPECT_EQ(config->hang, std::chrono::milliseconds(250));
  EXPECT_EQ(config->busy, Duration());
  EXPECT_EQ(config->test_failovers_per_day, 3u);
}

TEST(Config, WithoutAStoreTheStateAndTheAgentsAreInTheDataDirectory) {
  ConfigSettings settings;
  settings.data_directory = "/srv/region";
  const auto config = resolve(settings);
  ASSERT_TRUE(config);
  EXPECT_FALSE(config->etcd);
  EXPECT_EQ(config->local_agents, "/srv/region");
}

TEST(Config, TheStoreIsEtcdWithAllThatItNeeds) {
  const auto parsed = parse_config_file(R"(
store = "etcds://h1:2379,[::1]:12379/regions/one/"
local_agents = "/srv/engines"
[etcd]
user = "hikae"
password_file = "/etc/hikae/password"
ca_file = "/etc/hikae/ca.pem"
certificate_file = "/etc/hikae/me.pem"
key_file = "/etc/hikae/me.key"
)",
                                        "h.toml");
  ASSERT_TRUE(parsed) << parsed.error().message;
  const auto config = resolve(*parsed);
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_TRUE(config->etcd);
  EXPECT_EQ(config->local_agents, "/srv/engines");
  EXPECT_TRUE(config->etcd->tls);
  EXPECT_EQ(config->etcd->prefix, "/regions/one");
  ASSERT_EQ(config->etcd->endpoints.size(), 2u);
  EXPECT_EQ(config->etcd->endpoints[0].str(), "h1:2379");
  EXPECT_EQ(config->etcd->endpoints[1].host, "::1");
  EXPECT_EQ(config->etcd->user, "hikae");
  EXPECT_EQ(config->etcd->password_file, "/etc/hikae/password");
  EXPECT_EQ(config->etcd->ca_file, "/etc/hikae/ca.pem");
  EXPECT_EQ(config->etcd->certificate_file, "/etc/hikae/me.pem");
  EXPECT_EQ(config->etcd->key_file, "/etc/hikae/me.key");
}

TEST(Config, AServerOfEtcdRunsNoAgentsUnlessItIsTold) {
  ConfigSettings settings;
  settings.store = "etcd://127.0.0.1:2379";
  settings.region = "eu-west-1";
  const auto config = resolve(settings);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_TRUE(config->local_agents.empty());
  EXPECT_FALSE(config->etcd->tls);
  EXPECT_EQ(config->etcd->prefix, "/hikae/eu-west-1");
}

TEST(Config, AStoreThatCannotWorkIsRefused) {
  for (const char* url :
       {"", "redis://h:1", "etcd:", "etcd://", "etcd:///p", "etcd://h", "etcd://h:0",
        "etcd://h:65536", "etcd://h:1,", "etcd://:1", "etcd://a b:1", "etcd://::1:2379"}) {
    ConfigSettings settings;
    settings.store = url;
    const auto config = resolve(settings);
    ASSERT_FALSE(config) << url;
    EXPECT_NE(config.error().message.find("etcd://HOST:PORT"), std::string::npos)
        << config.error().message;
  }
}

TEST(Config, AStoreNeverHoldsAPassword) {
  ConfigSettings settings;
  settings.store = "etcd://hikae:geheim@h1:2379";
  const auto config = resolve(settings);
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().message.find("geheim"), std::string::npos);
  EXPECT_NE(config.error().message.find("--etcd-password-file"), std::string::npos);
}

TEST(Config, WhatBelongsToEtcdNeedsIt) {
  EXPECT_NE(refusal("[etcd]\nuser = \"u\"").find("need store"), std::string::npos);
  EXPECT_NE(refusal("local_agents = \"/d\"").find("need store"), std::string::npos);
  EXPECT_NE(refusal("store = \"etcd://h:1\"\n[etcd]\nca_file = \"c\"").find("etcds://"),
            std::string::npos);
}

TEST(Config, TheCommandLineWins) {
  ConfigSettings file;
  file.region = "eu-west-1";
  file.domain = "a.example";
  ConfigSettings command_line;
  command_line.domain = "b.example";
  const auto config = resolve(merge(file, command_line));
  ASSERT_TRUE(config);
  EXPECT_EQ(config->region, "eu-west-1");
  EXPECT_EQ(config->domain, "b.example");
}

TEST(Config, MistakesAreNamedWithTheirLine) {
  EXPECT_EQ(refusal("region = \"ap-northeast-1\"\nregoin = \"x\"\n").substr(0, 27),
            "h.toml:2: unknown key regoi");
  EXPECT_EQ(refusal("[dns]\nport = 53\n").substr(0, 31), "h.toml:2: unknown key dns.port;");
  EXPECT_EQ(refusal("\nzones = \"a\"\n"), "h.toml:2: zones is not an array of strings");
  EXPECT_EQ(refusal("zones = [\"a\", 2]"), "h.toml:1: zones is not an array of strings");
  EXPECT_EQ(refusal("allow_test_credentials = 1"),
            "h.toml:1: allow_test_credentials is not true or false");
  EXPECT_EQ(refusal("dns = 3").substr(0, 26), "h.toml:1: unknown key dns;");
  EXPECT_EQ(refusal("[failover]\nhang_ms = 0.5"),
            "h.toml:2: failover.hang_ms is not a whole number");
  EXPECT_EQ(refusal("a = \nb").substr(0, 9), "h.toml:1:");
}

TEST(Config, ValuesAreChecked) {
  EXPECT_EQ(refusal("listen = \"4566\""),
            "listen is \"4566\", which is not an IPv4 address and port such as 127.0.0.1:4566");
  for (const char* text :
       {"listen = \"127.0.0.1:65536\"", "dns.listen = [\"localhost:53\"]", "region = \"tokyo\"",
        "region = \"ap--1\"", "zones = []", "zones = [\"a\", \"a\"]", "zones = [\"eu-west-1a\"]",
        "zones = [\"A\"]", "domain = \"a..b\"", "domain = \"-a.b\"", "domain = \"\"",
        "listen = \"0.0.0.0:4566\"\nallow_test_credentials = true", "failover.hang_ms = 19",
        "failover.hang_ms = 60001", "failover.busy_ms = -1", "failover.busy_ms = 99",
        "failover.hang_ms = 500\nfailover.busy_ms = 499", "failover.busy_ms = 90000000",
        "failover.test_failovers_per_day = -1"}) {
    const std::string message = refusal(text);
    EXPECT_NE(message, "accepted") << text;
    EXPECT_EQ(message.find("h.toml"), std::string::npos) << message;
  }
}

TEST(Config, WebhooksAreCheckedBeforeAnythingIsServed) {
  const auto settings = parse_config_file(
      "[notifications]\nwebhook = \"https://hooks.example.com/a?key=1\"\nfile = \"/n\"\n"
      "[logs]\ndirectory = \"/l\"\nwebhook = \"http://127.0.0.1:9000\"\n",
      "hikae.toml");
  ASSERT_TRUE(settings) << settings.error().message;
  const auto config = resolve(*settings);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->notifications_webhook, "https://hooks.example.com/a?key=1");
  EXPECT_EQ(config->notifications_file, "/n");
  EXPECT_EQ(config->logs_directory, "/l");
  EXPECT_EQ(config->logs_webhook, "http://127.0.0.1:9000");
  for (const char* section : {"notifications", "logs"}) {
    const auto bad = parse_config_file(
        std::string("[") + section + "]\nwebhook = \"hooks.example.com\"\n", "hikae.toml");
    ASSERT_TRUE(bad);
    const auto refused = resolve(*bad);
    ASSERT_FALSE(refused) << section;
    EXPECT_TRUE(refused.error().message.starts_with(std::string(section) + ".webhook: "));
  }
}

}  // namespace
}  // namespace hikae::app
