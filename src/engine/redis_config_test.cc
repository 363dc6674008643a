#include "engine/redis_config.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "engine/redis_access.h"
#include "engine/redis_status.h"

namespace hikae::engine {
namespace {

const InstalledEngine kRedis{"redis", "7.0.15", "/usr/bin/redis-server"};
const InstalledEngine kValkey{"valkey", "8.0.1", "/usr/bin/valkey-server"};

core::NodeAssignment assignment() {
  core::NodeAssignment a;
  a.node = core::NodeKey{core::CacheClusterId("foo-001"), core::NodeId("0001")};
  a.group = core::ReplicationGroupId("foo");
  a.engine = "redis";
  a.address = *Ipv4::parse("127.64.0.4");
  a.port = 6390;
  a.primary_name = "foo.internal";
  a.primary_address = *Ipv4::parse("127.64.0.9");
  a.primary_port = 6390;
  return a;
}

NodeSecrets secrets() {
  const auto a = assignment();
  return derive_secrets("region secret", a.node, a.group);
}

std::vector<std::string> lines(const core::NodeAssignment& a, const InstalledEngine& installed) {
  return split(render_redis_config(a, installed, secrets(), true).value(), '\n');
}

int count(const std::vector<std::string>& all, const std::string& line) {
  return int(std::count(all.begin(), all.end(), line));
}

TEST(RedisConfig, ListensOnItsOwnAddressAndKeepsAllFilesInItsDirectory) {
  const auto config = lines(assignment(), kValkey);
  for (const char* line :
       {"bind 127.64.0.4", "port 6390", "unixsocket admin.sock", "dir .", "save \"\"",
        "appendonly no", "repl-diskless-sync-delay 0", "crash-memcheck-enabled no",
        "enable-debug-command no", "dbfilename dump.rdb", "rdb-del-sync-files yes"}) {
    EXPECT_EQ(count(config, line), 1) << line;
  }
}

TEST(RedisConfig, AnEncryptedNodeListensEncryptedAlone) {
  auto a = assignment();
  a.access.transit_encryption = "required";
  a.directives = {{"tls-auth-clients", "yes"}, {"tls-port", "1"}};
  const auto config = lines(a, kRedis);
  for (const char* line :
       {"port 0", "tls-port 6390", "tls-replication yes", "tls-cert-file tls.pem",
        "tls-key-file tls.pem", "tls-ca-cert-file tls.pem", "tls-auth-clients no"}) {
    EXPECT_EQ(count(config, line), 1) << line;
  }
  EXPECT_EQ(count(config, "port 6390") + count(config, "tls-auth-clients yes"), 0);
}

TEST(RedisConfig, AFrontTakesBothKindsOfClients) {
  auto a = assignment();
  a.access.transit_encryption = "preferred";
  const EngineModules modules{"", "", "/lib/front.so"};
  const auto text = render_redis_config(a, kValkey, secrets(), true, modules).value();
  const auto config = split(text, '\n');
  for (const char* line : {"bind 127.64.0.4", "port 22379", "tls-port 22380", "tls-replication yes",
                           "tls-cert-file tls.pem", "replica-announce-port 6390",
                           "loadmodule /lib/front.so 127.64.0.4 6390 127.64.0.4 22379 22380"}) {
    EXPECT_EQ(count(config, line), 1) << line;
  }
  a.primary_plain = true;  // it is the first that takes TLS
  const auto first = render_redis_config(a, kValkey, secrets(), true, modules).value();
  EXPECT_EQ(count(split(first, '\n'), "tls-replication no"), 1);
}

TEST(RedisConfig, InnerPortsAreInNobodysWay) {
  auto a = assignment();
  a.port = 22379;
  EXPECT_EQ(inner_place(a), (InnerPlace{a.address, 22381, 22380}));
  a.port = 22380;
  EXPECT_EQ(inner_place(a), (InnerPlace{a.address, 22379, 22381}));
  // Nodes that share an address differ in their ports, and so in where their engines listen.
  a.address = *Ipv4::parse("10.0.0.7");
  a.shared_address = true;
  a.port = 6379;
  EXPECT_EQ(inner_place(a), (InnerPlace{*Ipv4::parse("127.39.24.235"), 22379, 22380}));
  auto b = a;
  b.port = 6380;
  EXPECT_NE(inner_place(a).address, inner_place(b).address);
  b.port = 65535;
  EXPECT_EQ(inner_place(b).address.str(), "127.39.255.255");
}

TEST(RedisConfig, TokensAreAskedForUnlessTheyAreOptional) {
  auto a = assignment();
  const std::string open = fmt::format("user default {}", client_rules());
  EXPECT_EQ(count(lines(a, kValkey), open), 1);
  a.access = {"required", {"aa", "bb"}, false};
  EXPECT_EQ(count(lines(a, kValkey), open + " #aa #bb"), 1);
  a.access.token_optional = true;
  EXPECT_EQ(count(lines(a, kValkey), open), 1);
}

TEST(RedisConfig, CustomersDirectivesOverrideOursButNotThoseThatHoldTheNodeTogether) {
  auto a = assignment();
  a.directives = {{"repl-backlog-size", "5"},
                  {"notify-keyspace-events", ""},
                  {"client-output-buffer-limit", "normal 0 0 0 replica 1 1 60"},
                  {"bind", "0.0.0.0"},
                  {"enable-debug-command", "yes"},
                  {"masterauth", "x"}};
  const auto config = lines(a, kRedis);
  EXPECT_EQ(count(config, "repl-backlog-size 5"), 1);
  EXPECT_EQ(count(config, "repl-backlog-size 1048576"), 0);
  EXPECT_EQ(count(config, "notify-keyspace-events \"\""), 1);
  EXPECT_EQ(count(config, "client-output-buffer-limit normal 0 0 0 replica 1 1 60"), 1);
  EXPECT_EQ(count(config, "bind 0.0.0.0"), 0);
  EXPECT_EQ(count(config, "enable-debug-command yes"), 0);
  EXPECT_EQ(count(config, "masterauth x"), 0);
}

TEST(RedisConfig, LeavesOutWhatTheInstalledEngineDoesNotKnow) {
  auto a = assignment();
  a.directives = {{"extended-redis-compatibility", "no"}};
  EXPECT_EQ(count(lines(a, kRedis), "extended-redis-compatibility no"), 0);
  EXPECT_EQ(count(lines(a, kValkey), "extended-redis-compatibility no"), 1);
}

TEST(RedisConfig, DirectiveThatCouldBecomeAnotherLineIsRefused) {
  for (const char* value : {"1\nrequirepass x", "\"", "a\\x0a", "tab\t"}) {
    auto a = assignment();
    a.directives = {{"maxmemory", value}};
    const auto config = render_redis_config(a, kRedis, secrets(), true);
    EXPECT_FALSE(config) << value;
  }
  auto a = assignment();
  a.directives = {{"max memory", "1"}};
  EXPECT_FALSE(render_redis_config(a, kRedis, secrets(), true));
}

TEST(RedisConfig, ReplicaStartsAtItsPrimaryOrAtNobody) {
  auto a = assignment();
  a.role = core::Role::kReplica;
  EXPECT_EQ(count(lines(a, kRedis), "replicaof 127.64.0.4 1"), 1);
  a.attach = true;
  EXPECT_EQ(count(lines(a, kRedis), "replicaof foo.internal 6390"), 1);
  const auto config = render_redis_config(a, kRedis, secrets(), false).value();
  EXPECT_NE(config.find("replicaof 127.64.0.9 6390"), std::string::npos);
}

TEST(RedisConfig, HoldsNoPasswordButTheOneTheEngineMustSend) {
  const auto config = render_redis_config(assignment(), kRedis, secrets(), true).value();
  EXPECT_EQ(config.find(secrets().admin), std::string::npos);
  EXPECT_NE(config.find("masterauth " + secrets().replication), std::string::npos);
  EXPECT_EQ(config.find("region secret"), std::string::npos);
}

TEST(Secrets, DifferForEveryNodeAndAreSharedByAGroupForReplicationOnly) {
  const core::NodeKey a{core::CacheClusterId("foo-001"), core::NodeId("0001")};
  const core::NodeKey b{core::CacheClusterId("foo-002"), core::NodeId("0001")};
  const core::ReplicationGroupId group("foo");
  const core::ReplicationGroupId none;
  EXPECT_EQ(derive_secrets("s", a, group).replication, derive_secrets("s", b, group).replication);
  EXPECT_NE(derive_secrets("s", a, group).admin, derive_secrets("s", b, group).admin);
  EXPECT_NE(derive_secrets("s", a, none).replication, derive_secrets("s", b, none).replication);
  EXPECT_NE(derive_secrets("s", a, group).admin, derive_secrets("t", a, group).admin);
  EXPECT_EQ(derive_secrets("s", a, group).admin.size(), 64U);
}

TEST(RedisStatus, ReadsAPrimary) {
  const auto status = parse_redis_status(
      "# Replication\r\nrole:master\r\nmaster_repl_offset:42\r\n\r\n# Persistence\r\nloading:0\r\n"
      "# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1\r\n");
  EXPECT_EQ(status->role, core::Role::kPrimary);
  EXPECT_EQ(status->replication_offset, 42U);
  EXPECT_EQ(status->version, "8.0.1");
  EXPECT_FALSE(status->loading);
}

TEST(RedisStatus, NamesItsStreamAndTheOneBefore) {
  const std::string zeros(40, '0');
  const auto full =
      parse_redis_status("role:slave\r\nmaster_replid:4f2a\r\nmaster_replid2:" + zeros + "\r\n");
  EXPECT_EQ(full->stream, "4f2a");
  EXPECT_EQ(full->previous_stream, "");
  const auto partial =
      parse_redis_status("role:slave\r\nmaster_replid:4f2a\r\nmaster_replid2:09bc\r\n");
  EXPECT_EQ(partial->previous_stream, "09bc");
}

TEST(RedisStatus, LinkIsUpOnlyAfterTheFirstSynchronisation) {
  const std::string replica =
      "role:slave\r\nmaster_host:foo.internal\r\nslave_repl_offset:7\r\nmaster_repl_offset:9\r\n"
      "loading:1\r\nredis_version:7.0.15\r\n";
  const auto syncing =
      parse_redis_status(replica + "master_link_status:up\r\nmaster_sync_in_progress:1\r\n");
  EXPECT_FALSE(syncing->link_up);
  EXPECT_TRUE(syncing->loading);
  EXPECT_EQ(syncing->following, "foo.internal");
  EXPECT_EQ(syncing->replication_offset, 7U);
  EXPECT_TRUE(parse_redis_status(replica + "master_link_status:up\r\nmaster_sync_in_progress:0\r\n")
                  ->link_up);
  EXPECT_FALSE(parse_redis_status(replica + "master_link_status:down\r\n")->link_up);
}

TEST(RedisStatus, TheStreamIsPendingUntilItsFirstByte) {
  const std::string replica =
      "role:slave\r\nmaster_host:foo.internal\r\nslave_repl_offset:7\r\nrepl_backlog_active:1\r\n";
  const std::string up = replica + "master_link_status:up\r\n";
  EXPECT_TRUE(parse_redis_status(up + "repl_backlog_histlen:0\r\n")->stream_pending);
  EXPECT_FALSE(parse_redis_status(up + "repl_backlog_histlen:14\r\n")->stream_pending);
  EXPECT_FALSE(parse_redis_status(up)->stream_pending);
  const std::string down = replica + "master_link_status:down\r\n";
  EXPECT_FALSE(parse_redis_status(down + "repl_backlog_histlen:0\r\n")->stream_pending);
}

TEST(RedisStatus, CountsTheWritesThatAReplicaRefused) {
  const std::string replica = "role:slave\r\nslave_repl_offset:7\r\n";
  EXPECT_EQ(parse_redis_status(replica)->refused_writes, 0U);
  EXPECT_EQ(parse_redis_status(replica + "# Errorstats\r\nerrorstat_ERR:count=3\r\n"
                                         "errorstat_READONLY:count=12\r\n")
                ->refused_writes,
            12U);
}

TEST(RedisStatus, TheSizeOfTheDataIsWithoutTheBuffersOfReplicas) {
  EXPECT_EQ(parse_redis_status("role:master\r\n")->used_memory, 0U);
  EXPECT_EQ(parse_redis_status("role:master\r\nused_memory:1000\r\n"
                               "mem_not_counted_for_evict:300\r\n")
                ->used_memory,
            700U);
}

TEST(RedisStatus, AnswerWithoutARoleIsAnError) {
  EXPECT_FALSE(parse_redis_status(""));
  EXPECT_FALSE(parse_redis_status("role:sentinel\r\n"));
}

}  // namespace
}  // namespace hikae::engine
