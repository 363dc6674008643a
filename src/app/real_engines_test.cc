// The agent, the driver and the runner together, with the engines that are installed here.

#include <arpa/inet.h>
#include <chrono>
#include <csignal>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <sys/time.h>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "adapters/process/linux_process_runner.h"
#include "adapters/process/program_probe.h"
#include "adapters/process/test_support.h"
#include "codec/resp/command.h"
#include "codec/resp/info.h"
#include "codec/resp/parser.h"
#include "control/agent.h"
#include "engine/redis_driver.h"

namespace hikae::adapters {
namespace {

using boost::asio::local::stream_protocol;
using codec::resp::Value;
using control::Awaitable;
using core::NodeAssignment;
using core::NodeObservation;
using std::chrono::seconds;
using std::chrono::steady_clock;

class TestConnection final : public engine::AdminConnection {
 public:
  explicit TestConnection(stream_protocol::socket socket) : socket_(std::move(socket)) {}
  Awaitable<Result<std::vector<Value>>> call(std::vector<engine::Command> commands,
                                             Duration) override {
    const auto token = boost::asio::as_tuple(boost::asio::use_awaitable);
    std::string request;
    for (const auto& command : commands) {
      codec::resp::append_command(request, command);
    }
    const auto buffer = boost::asio::buffer(request);
    auto [error, size] = co_await boost::asio::async_write(socket_, buffer, token);
    std::vector<Value> replies;
    char bytes[16 * 1024];
    while (!error && replies.size() < commands.size()) {
      if (auto value = parser_.next(); value && *value) {
        replies.push_back(std::move(**value));
        continue;
      }
      const auto into = boost::asio::buffer(bytes);
      std::tie(error, size) = co_await socket_.async_read_some(into, token);
      parser_.feed(std::string_view(bytes, size));
    }
    if (error) {
      co_return fail(ErrorCode::kUnavailable, error.message());
    }
    co_return replies;
  }
  void close() override {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

 private:
  stream_protocol::socket socket_;
  codec::resp::Parser parser_;
};

class TestConnector final : public engine::AdminConnector {
 public:
  explicit TestConnector(boost::asio::io_context& io) : io_(io) {}
  Awaitable<Result<std::unique_ptr<engine::AdminConnection>>> connect(std::string path,
                                                                      Duration) override {
    stream_protocol::socket socket(io_);
    boost::system::error_code error;
    socket.connect(stream_protocol::endpoint(path), error);
    if (error) {
      co_return fail(ErrorCode::kUnavailable, error.message());
    }
    co_return std::make_unique<TestConnection>(std::move(socket));
  }
  Awaitable<Result<std::unique_ptr<engine::AdminConnection>>> connect_to(std::string, std::uint16_t,
                                                                         Duration) override {
    co_return fail(ErrorCode::kUnavailable, "only nodes are asked here");
  }

 private:
  boost::asio::io_context& io_;
};

class RealClock final : public control::Clock {
 public:
  Instant now() const override { return Instant(monotonic().microseconds()); }
  Monotonic monotonic() const override {
    return Monotonic(
        std::chrono::duration_cast<Duration>(steady_clock::now().time_since_epoch()).count());
  }
  Awaitable<void> sleep_until(Monotonic t) override {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    timer.expires_after(t - monotonic());
    const auto token = boost::asio::as_tuple(boost::asio::use_awaitable);
    co_await timer.async_wait(token);
  }
};

class NoLog final : public control::Log {
 public:
  void info(std::string_view) override {}
  void warn(std::string_view) override {}
  void error(std::string_view) override {}
};

class Reports final : public control::ReportLink {
 public:
  void report(core::HostReport report) override { newest_ = std::move(report); }
  const NodeObservation* find(const core::NodeKey& key) const {
    for (const NodeObservation& seen : newest_.nodes) {
      if (seen.node == key) {
        return &seen;
      }
    }
    return nullptr;
  }

 private:
  core::HostReport newest_;
};

// One command of an ordinary client, over TCP.
Value ask(const NodeAssignment& node, const std::vector<std::string>& command) {
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{5, 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(node.port);
  address.sin_addr.s_addr = htonl(node.address.bits());
  codec::resp::Parser parser;
  const std::string request = codec::resp::encode_command(command);
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) {
    return Value{Value::Type::kError, "no connection"};
  }
  char bytes[4096];
  ssize_t size = 0;
  while ((size = ::recv(socket.get(), bytes, sizeof bytes, 0)) > 0) {
    parser.feed(std::string_view(bytes, std::size_t(size)));
    if (auto value = parser.next(); value && *value) {
      return **value;
    }
  }
  return Value{Value::Type::kError, "no answer"};
}

std::vector<engine::InstalledEngine> installed_engines() {
  std::vector<std::string> programs;
  for (const std::string& name : engine::engine_program_names()) {
    if (auto path = find_on_path(name)) {
      programs.push_back(std::move(*path));
    }
  }
  return engine::discover_engines(
      programs, [](const std::string& program) { return run_and_capture(program, {"--version"}); });
}

class RealEnginesTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const auto installed = installed_engines();
    const bool found = std::any_of(installed.begin(), installed.end(),
                                   [](const auto& one) { return one.engine == GetParam(); });
    if (!found) {
      GTEST_SKIP() << GetParam() << " is not installed";
    }
    auto opened = LinuxProcessRunner::open({temporary_.path() + "/nodes/h", "", 1 << 20});
    ASSERT_TRUE(opened) << opened.error().message;
    runner_ = std::move(*opened);
    engine::RedisDriver::Options options;
    options.secrets = engine::secrets_from("test secret");
    options.installed = std::make_shared<engine::InstalledEngines>(installed);
    driver_ = std::make_unique<engine::RedisDriver>(std::move(options), *runner_, connector_);
    launch();
  }
  void TearDown() override {
    if (agent_) {
      assign({});
      EXPECT_TRUE(run_until([&] {
        return std::none_of(all_.begin(), all_.end(),
                            [&](const auto& node) { return reports_.find(node.node); });
      }));
      stop();
    }
  }
  void launch() {
    agent_ = std::make_unique<control::Agent>(
        io_.get_executor(), core::HostId("h"),
        control::AgentPorts{*runner_, *driver_, clock_, log_, gate_}, reports_);
    agent_->start();
  }
  void stop() {
    ASSERT_TRUE(run(io_, agent_->stop()));
    agent_.reset();
  }
  void assign(std::vector<NodeAssignment> nodes) {
    core::Assignment assignment;
    assignment.host = core::HostId("h");
    assignment.revision = core::Revision(++revision_);
    assignment.nodes.assign(nodes.begin(), nodes.end());
    agent_->assign(std::move(assignment));
  }
  bool run_until(const std::function<bool()>& done) {
    const auto end = steady_clock::now() + seconds(20);
    io_.restart();
    while (!done() && steady_clock::now() < end) {
      io_.run_one_for(std::chrono::milliseconds(50));
    }
    return done();
  }
  bool ready(const NodeAssignment& node) const {
    const auto* seen = reports_.find(node.node);
    return seen && seen->ready && seen->role == node.role &&
           (node.role == core::Role::kPrimary || seen->link_up);
  }
  // foo-001, the primary, and two replicas; addresses nobody else uses.
  std::vector<NodeAssignment> group() {
    for (int i = 1; i <= 3; ++i) {
      NodeAssignment a;
      a.node =
          core::NodeKey{core::CacheClusterId("foo-00" + std::to_string(i)), core::NodeId("0001")};
      a.group = core::ReplicationGroupId("foo");
      a.engine = GetParam();
      a.engine_version = "7.0";
      a.address = *Ipv4::parse("127.90.7." + std::to_string(i));
      a.port = 6397;
      a.role = i == 1 ? core::Role::kPrimary : core::Role::kReplica;
      a.primary_name = "foo.internal.test";
      a.primary_address = *Ipv4::parse("127.90.7.1");
      a.primary_port = a.port;
      a.directives = {
          {"maxmemory", "50000000"},
          {"client-output-buffer-limit", "normal 0 0 0 replica 0 0 0 pubsub 1mb 1mb 60"}};
      all_.push_back(a);
    }
    return all_;
  }
  void start_group() {
    const auto begin = steady_clock::now();
    const auto since = [&] {
      return std::chrono::duration<double, std::milli>(steady_clock::now() - begin).count();
    };
    assign(group());
    ASSERT_TRUE(run_until([&] { return ready(all_[0]); }));
    const double primary_ready = since();
    all_[1].attach = all_[2].attach = true;
    assign(all_);
    ASSERT_TRUE(run_until([&] { return ready(all_[1]) && ready(all_[2]); }));
    std::cout << "primary ready after " << primary_ready << " ms, both links up after " << since()
              << " ms\n";
  }
  std::string info(const NodeAssignment& node, const char* key) {
    const Value reply = ask(node, {"INFO", "replication"});
    const auto parsed = codec::resp::Info::parse(reply.text);
    return std::string(parsed.text(key).value_or(""));
  }

  TemporaryDirectory temporary_;
  boost::asio::io_context io_{1};
  RealClock clock_;
  NoLog log_;
  control::StartGate gate_{4};
  Reports reports_;
  TestConnector connector_{io_};
  std::unique_ptr<LinuxProcessRunner> runner_;
  std::unique_ptr<engine::RedisDriver> driver_;
  std::unique_ptr<control::Agent> agent_;
  std::vector<NodeAssignment> all_;
  std::uint64_t revision_ = 0;
};

TEST_P(RealEnginesTest, GroupReplicatesUnderItsNameAndRefusesWhatElastiCacheRefuses) {
  start_group();
  EXPECT_TRUE(ask(all_[0], {"SET", "a", "hello"}).is_ok());
  EXPECT_TRUE(run_until([&] { return ask(all_[1], {"GET", "a"}).text == "hello"; }));
  EXPECT_EQ(ask(all_[1], {"SET", "a", "x"}).error_code(), "READONLY");
  const std::string followed =
      runner_->private_hosts_supported() ? "foo.internal.test" : "127.90.7.1";
  EXPECT_EQ(info(all_[1], "master_host"), followed);
  EXPECT_EQ(info(all_[0], "connected_slaves"), "2");
  EXPECT_NE(info(all_[0], "slave0").find("ip=127.90.7."), std::string::npos);

  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"CONFIG", "GET", "*"},
                                             {"SHUTDOWN"},
                                             {"SAVE"},
                                             {"BGSAVE"},
                                             {"REPLICAOF", "NO", "ONE"},
                                             {"ACL", "SETUSER", "x"},
                                             {"FAILOVER"},
                                             {"SYNC"},
                                             {"PSYNC", "?", "-1"},
                                             {"CLUSTER", "MEET", "127.0.0.1", "1"}}) {
    EXPECT_EQ(ask(all_[0], command).error_code(), "NOPERM") << command.front();
  }
  // Switched off altogether, in the engine's own words.
  EXPECT_TRUE(ask(all_[0], {"DEBUG", "SLEEP", "0"}).is_error());
  EXPECT_TRUE(ask(all_[0], {"MODULE", "LOAD", "/tmp/x.so"}).is_error());
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"CLIENT", "ID"}, {"SLOWLOG", "GET"}, {"ROLE"}, {"ACL", "WHOAMI"}, {"DBSIZE"}}) {
    EXPECT_FALSE(ask(all_[0], command).is_error()) << command.front();
  }
}

TEST_P(RealEnginesTest, EnginesSurviveTheirAgentAndAreAdopted) {
  start_group();
  ASSERT_TRUE(ask(all_[0], {"SET", "a", "kept"}).is_ok());
  const auto pid = reports_.find(all_[0].node)->pid;
  stop();
  EXPECT_EQ(ask(all_[0], {"GET", "a"}).text, "kept");
  launch();
  all_[0].directives.set("maxmemory", "60000000");
  assign(all_);
  ASSERT_TRUE(run_until([&] { return ready(all_[0]) && ready(all_[1]) && ready(all_[2]); }));
  EXPECT_EQ(reports_.find(all_[0].node)->pid, pid);
  EXPECT_EQ(ask(all_[0], {"GET", "a"}).text, "kept");
  EXPECT_TRUE(run_until([&] {
    return ask(all_[0], {"INFO", "memory"}).text.find("maxmemory:60000000") != std::string::npos;
  }));
}

TEST_P(RealEnginesTest, RebootLosesTheMemoryAndTheReplicasComeBack) {
  start_group();
  ASSERT_TRUE(ask(all_[0], {"SET", "a", "lost"}).is_ok());
  all_[0].generation = 2;
  assign(all_);
  ASSERT_TRUE(run_until([&] {
    const auto* seen = reports_.find(all_[0].node);
    return ready(all_[0]) && seen->generation == 2;
  }));
  EXPECT_TRUE(ask(all_[0], {"GET", "a"}).is_null());
  EXPECT_TRUE(run_until([&] { return ready(all_[1]) && ask(all_[1], {"GET", "a"}).is_null(); }));
}

TEST_P(RealEnginesTest, ARestartMayKeepTheDataAndACrashAfterItDoesNot) {
  start_group();
  ASSERT_TRUE(ask(all_[0], {"SET", "a", "kept"}).is_ok());
  all_[0].generation = 2;
  all_[0].keep_data = true;
  assign(all_);
  ASSERT_TRUE(run_until([&] {
    const auto* seen = reports_.find(all_[0].node);
    return ready(all_[0]) && seen->generation == 2;
  }));
  EXPECT_EQ(ask(all_[0], {"GET", "a"}).text, "kept");
  const auto pid = reports_.find(all_[0].node)->pid;
  ASSERT_EQ(::kill(pid_t(pid), SIGKILL), 0);
  ASSERT_TRUE(run_until([&] { return ready(all_[0]) && reports_.find(all_[0].node)->pid != pid; }));
  EXPECT_TRUE(ask(all_[0], {"GET", "a"}).is_null());
}

TEST_P(RealEnginesTest, CrashIsReportedAndTheNodeComesBack) {
  start_group();
  const auto pid = reports_.find(all_[1].node)->pid;
  const auto begin = steady_clock::now();
  ASSERT_EQ(::kill(pid_t(pid), SIGKILL), 0);
  bool told = false;
  EXPECT_TRUE(run_until([&] {
    const auto* seen = reports_.find(all_[1].node);
    told = told || !seen->ready;
    return told && ready(all_[1]);
  }));
  EXPECT_NE(reports_.find(all_[1].node)->pid, pid);
  EXPECT_LT(steady_clock::now() - begin, seconds(10));
}

INSTANTIATE_TEST_SUITE_P(Engines, RealEnginesTest, ::testing::Values("valkey", "redis"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace hikae::adapters
