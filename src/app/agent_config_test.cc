#include "app/agent_config.h"

#include <gtest/gtest.h>

#include "adapters/system/machine.h"

namespace hikae::app {
namespace {

constexpr std::uint64_t kMemory = std::uint64_t(24) << 30;

AgentSettings enough() {
  AgentSettings out;
  out.zone = "a";
  out.servers = std::vector<std::string>{"https://Server1:4568", "server2"};
  out.addresses = "10.0.0.50-10.0.0.80,10.0.1.0/29@eth0";
  return out;
}

std::string refusal(const AgentSettings& settings) {
  const auto config = resolve(settings, "Host-7.example", kMemory);
  return config ? "accepted" : config.error().message;
}

TEST(AgentConfig, FillsInWhatTheMachineIs) {
  const auto config = resolve(enough(), "Host-7.example", kMemory);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->name, "host-7");
  EXPECT_EQ(config->memory_bytes, kMemory);
  EXPECT_EQ(config->max_nodes, 1000u);
  ASSERT_EQ(config->servers.size(), 2u);
  EXPECT_EQ(config->servers[0].str(), "server1:4568");
  EXPECT_EQ(config->servers[1].str(), "server2:4567");
  EXPECT_EQ(config->interface, "eth0");
  ASSERT_EQ(config->addresses.size(), 2u);
  EXPECT_EQ(config->addresses[1].str(), "10.0.1.1-10.0.1.6");
}

TEST(AgentConfig, NodesMayShareTheHostsOwnAddress) {
  AgentSettings settings;
  settings.zone = "a";
  settings.servers = std::vector<std::string>{"127.0.0.1:4567"};
  settings.addresses = "host:10.0.0.7";
  const auto named = resolve(settings, "h1", 1);
  ASSERT_TRUE(named) << named.error().message;
  EXPECT_TRUE(named->shared_addresses);
  ASSERT_EQ(named->addresses.size(), 1u);
  EXPECT_EQ(named->addresses[0].str(), "10.0.0.7");

  settings.addresses = "host";
  auto found = resolve(settings, "h1", 1);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_TRUE(found->addresses.empty());
  ASSERT_TRUE(find_own_address(*found));
  EXPECT_EQ(found->addresses[0].str(), "127.0.0.1");
}

TEST(AgentConfig, TheFileSetsEverythingAndTheCommandLineWins) {
  const auto parsed = parse_agent_file(R"(
data = "/srv/agent"
name = "h1"
zone = "b"
join = ["server1"]
token_file = "/etc/hikae/token"
addresses = "127.80.1.0/28"
memory = "512MiB"
max_nodes = 3
log_file = "/var/log/hikae.log"
[engines]
strict = true
valkey_server = "/opt/valkey-server"
redis_server = "/opt/redis-server"
fence_module = "none"
keeper = "/opt/hikae-keeper"
[failover]
hang_ms = 250
[logs]
directory = "/srv/logs"
webhook = "http://127.0.0.1:9000/logs"
)",
                                       "a.toml");
  ASSERT_TRUE(parsed) << parsed.error().message;
  AgentSettings line;
  line.zone = "c";
  const auto config = resolve(merge(*parsed, line), "x", kMemory);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->data_directory, "/srv/agent");
  EXPECT_EQ(config->name, "h1");
  EXPECT_EQ(config->zone, "c");
  EXPECT_EQ(config->token_file, "/etc/hikae/token");
  EXPECT_TRUE(config->interface.empty());
  EXPECT_EQ(config->memory_bytes, std::uint64_t(512) << 20);
  EXPECT_EQ(config->max_nodes, 3u);
  EXPECT_TRUE(config->engines_strict);
  EXPECT_EQ(config->limits.hang, std::chrono::milliseconds(250));
  EXPECT_EQ(config->redis_server, "/opt/redis-server");
  EXPECT_EQ(config->fence_module, "none");
  EXPECT_EQ(config->keeper, "/opt/hikae-keeper");
  EXPECT_EQ(config->logs_directory, "/srv/logs");
  EXPECT_EQ(config->logs_webhook, "http://127.0.0.1:9000/logs");
}

TEST(AgentConfig, TheKeeperIsTheInstalledOneUnlessItIsNamed) {
  EXPECT_EQ(resolve(enough(), "x", kMemory)->keeper, "");
  AgentSettings file = enough();
  file.keeper = "/opt/hikae-keeper";
  AgentSettings line;
  line.keeper = "none";
  EXPECT_EQ(resolve(merge(file, line), "x", kMemory)->keeper, "none");
}

TEST(AgentConfig, AWebhookIsAUrl) {
  AgentSettings settings = enough();
  settings.logs_webhook = "hooks.example.com";
  EXPECT_TRUE(refusal(settings).starts_with("logs.webhook: ")) << refusal(settings);
}

TEST(AgentConfig, SaysWhatIsWrong) {
  EXPECT_EQ(refusal(enough()), "accepted");
  const auto without = [](auto spoil) {
    AgentSettings settings = enough();
    spoil(settings);
    return refusal(settings);
  };
  EXPECT_EQ(without([](auto& s) { s.zone.reset(); }).substr(0, 15), "zone is missing");
  EXPECT_EQ(without([](auto& s) { s.servers.reset(); }).substr(0, 10), "join needs");
  EXPECT_EQ(without([](auto& s) { s.servers = std::vector<std::string>{"a b"}; }).substr(0, 7),
            "join is");
  EXPECT_EQ(without([](auto& s) { s.servers = std::vector<std::string>{"a:0"}; }).substr(0, 7),
            "join is");
  EXPECT_EQ(without([](auto& s) { s.addresses.reset(); }).substr(0, 20), "addresses is missing");
  EXPECT_EQ(without([](auto& s) { s.addresses = "10.0.0.1-"; }).substr(0, 12), "addresses is");
  EXPECT_EQ(without([](auto& s) { s.addresses = "10.0.0.1@"; }).substr(0, 12), "addresses is");
  EXPECT_EQ(without([](auto& s) { s.addresses = "host:"; }).substr(0, 12), "addresses is");
  EXPECT_EQ(without([](auto& s) { s.addresses = "host:10.0.0.1-10.0.0.9"; }).substr(0, 12),
            "addresses is");
  EXPECT_EQ(without([](auto& s) { s.memory = "24"; }).substr(0, 9), "memory is");
  EXPECT_EQ(without([](auto& s) { s.max_nodes = 0; }).substr(0, 12), "max_nodes is");
  EXPECT_FALSE(parse_agent_file("zones = \"a\"", "a.toml"));
}

TEST(AgentConfig, TheMachineHasMemoryAndAName) {
  EXPECT_GT(adapters::machine_memory(), std::uint64_t(1) << 20);
  EXPECT_FALSE(adapters::machine_name().empty());
}

}  // namespace
}  // namespace hikae::app
