#include "adapters/resp_client/connection.h"

#include <filesystem>
#include <optional>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

extern char** environ;

namespace hikae::resp {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr Duration kLong = std::chrono::seconds(10);
constexpr Duration kShort = std::chrono::milliseconds(50);

// Runs a coroutine to its end on its own io_context.
void run(asio::io_context& context, asio::awaitable<void> work) {
  std::exception_ptr failure;
  asio::co_spawn(context, std::move(work), [&](std::exception_ptr e) {
    failure = e;
    context.stop();
  });
  context.restart();
  context.run();
  if (failure) {
    std::rethrow_exception(failure);
  }
}

// Answers with scripted bytes: waits for some input before each piece.
class FakeServer {
 public:
  explicit FakeServer(asio::io_context& context)
      : acceptor_(context, tcp::endpoint(asio::ip::make_address_v4("127.77.3.1"), 0)) {}

  Target target() const {
    return Target::at_address(Ipv4(0x7F4D0301), acceptor_.local_endpoint().port());
  }

  // Serves one connection; closes it behind the last piece unless `stay`.
  void script(std::vector<std::string> pieces, bool stay = false) {
    asio::co_spawn(acceptor_.get_executor(), serve(std::move(pieces), stay), asio::detached);
  }

 private:
  asio::awaitable<void> serve(std::vector<std::string> pieces, bool stay) {
    auto socket = co_await acceptor_.async_accept(asio::use_awaitable);
    char input[4096];
    for (const std::string& piece : pieces) {
      co_await socket.async_read_some(asio::buffer(input), asio::use_awaitable);
      co_await asio::async_write(socket, asio::buffer(piece), asio::use_awaitable);
    }
    while (stay) {
      const auto [error, count] =
          co_await socket.async_read_some(asio::buffer(input), asio::as_tuple(asio::use_awaitable));
      stay = !error;
    }
  }

  tcp::acceptor acceptor_;
};

std::vector<std::string> words(std::string_view a, std::string_view b = {},
                               std::string_view c = {}) {
  std::vector<std::string> result{std::string(a)};
  for (const auto word : {b, c}) {
    if (!word.empty()) {
      result.emplace_back(word);
    }
  }
  return result;
}

TEST(RespConnection, ErrorRepliesAreValues) {
  asio::io_context context(1);
  FakeServer server(context);
  server.script({"-ERR unknown command\r\n", "+PONG\r\n"}, true);
  const auto scenario = [&]() -> asio::awaitable<void> {
    auto connection = co_await Connection::connect(server.target(), kLong);
    EXPECT_TRUE(connection);
    const auto error = co_await connection->command(words("NOPE"), kLong);
    EXPECT_TRUE(error && error->is_error());
    const auto pong = co_await connection->command(words("PING"), kLong);
    EXPECT_TRUE(pong && pong->as_text() == "PONG");
  };
  run(context, scenario());
}

TEST(RespConnection, PipelineTakesAReplyForEachCommandAndLeavesPushesOut) {
  asio::io_context context(1);
  FakeServer server(context);
  server.script({":1\r\n>1\r\n+invalidate\r\n:2\r\n-ERR x\r\n"}, true);
  const auto scenario = [&]() -> asio::awaitable<void> {
    auto connection = co_await Connection::connect(server.target(), kLong);
    std::vector<std::vector<std::string>> commands(3, words("INCR", "a"));
    const auto replies = co_await connection->pipeline(commands, kLong);
    EXPECT_TRUE(replies);
    EXPECT_EQ(replies->size(), 3u);
    EXPECT_EQ(replies->at(1).integer, 2);
    EXPECT_TRUE(replies->at(2).is_error());
    EXPECT_TRUE(connection->is_open());
  };
  run(context, scenario());
}

TEST(RespConnection, ALateReplyIsNeverTakenForTheNextOne) {
  asio::io_context context(1);
  FakeServer server(context);
  server.script({"$5\r\nhal"}, true);
  const auto scenario = [&]() -> asio::awaitable<void> {
    auto connection = co_await Connection::connect(server.target(), kLong);
    const auto late = co_await connection->command(words("GET", "secret-key"), kShort);
    EXPECT_FALSE(late);
    EXPECT_EQ(late.error().code, ErrorCode::kTimeout);
    EXPECT_EQ(late.error().message.find("secret"), std::string::npos) << late.error().message;
    EXPECT_FALSE(connection->is_open());
    const auto next = co_await connection->command(words("GET", "b"), kLong);
    EXPECT_FALSE(next);
    EXPECT_EQ(next.error().code, ErrorCode::kUnavailable);
  };
  run(context, scenario());
}

TEST(RespConnection, ClosedByThePeerInTheMiddleOfAReply) {
  asio::io_context context(1);
  FakeServer server(context);
  server.script({"*2\r\n:1\r\n"});
  const auto scenario = [&]() -> asio::awaitable<void> {
    auto connection = co_await Connection::connect(server.target(), kLong);
    const auto reply = co_await connection->command(words("ROLE"), kLong);
    EXPECT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::kUnavailable);
    EXPECT_FALSE(connection->is_open());
  };
  run(context, scenario());
}

TEST(RespConnection, WhatIsNotRespClosesTheConnection) {
  asio::io_context context(1);
  FakeServer server(context);
  server.script({"HTTP/1.1 400 Bad Request\r\n"}, true);
  const auto scenario = [&]() -> asio::awaitable<void> {
    auto connection = co_await Connection::connect(server.target(), kLong);
    const auto reply = co_await connection->command(words("PING"), kLong);
    EXPECT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::kInvalid);
    EXPECT_FALSE(connection->is_open());
  };
  run(context, scenario());
}

TEST(RespConnection, RefusedAuthTellsNoSecret) {
  asio::io_context context(1);
  FakeServer server(context);
  server.script({"-WRONGPASS invalid username-password pair hunter2\r\n"}, true);
  const auto scenario = [&]() -> asio::awaitable<void> {
    Target target = server.target();
    target.credentials = Credentials{"admin", "hunter2"};
    const auto connection = co_await Connection::connect(target, kLong);
    EXPECT_FALSE(connection);
    EXPECT_EQ(connection.error().code, ErrorCode::kDenied);
    EXPECT_EQ(connection.error().message.find("hunter2"), std::string::npos);
    EXPECT_NE(connection.error().message.find("WRONGPASS"), std::string::npos);
  };
  run(context, scenario());
}

TEST(RespConnection, NobodyListens) {
  asio::io_context context(1);
  std::uint16_t free_port = 0;
  {
    tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::make_address_v4("127.77.3.1"), 0));
    free_port = acceptor.local_endpoint().port();
  }
  const auto scenario = [&]() -> asio::awaitable<void> {
    for (const Target& target :
         {Target::at_address(Ipv4(0x7F4D0301), free_port), Target::at_path("/nonexistent/a.sock"),
          Target::at_path("/nonexistent/" + std::string(200, 'x') + "/a.sock")}) {
      const auto connection = co_await Connection::connect(target, kLong);
      EXPECT_FALSE(connection);
      EXPECT_EQ(connection.error().code, ErrorCode::kUnavailable);
    }
  };
  run(context, scenario());
}

// The command's coroutine outlives the object: it fails and nothing is touched after its end.
TEST(RespConnection, DestroyedWithACommandInFlight) {
  asio::io_context context(1);
  FakeServer server(context);
  server.script({}, true);
  std::optional<Result<Value>> outcome;
  const auto scenario = [&]() -> asio::awaitable<void> {
    auto connection = co_await Connection::connect(server.target(), kLong);
    auto owned = std::make_unique<Connection>(std::move(*connection));
    asio::co_spawn(context, owned->command(words("PING"), kLong),
                   [&](std::exception_ptr, Result<Value> value) { outcome = std::move(value); });
    asio::steady_timer turn(context, std::chrono::milliseconds(1));
    co_await turn.async_wait(asio::use_awaitable);
    const auto second = co_await owned->command(words("PING"), kLong);
    EXPECT_EQ(second.error().code, ErrorCode::kConflict);
    owned.reset();
    while (!outcome) {
      turn.expires_after(std::chrono::milliseconds(1));
      co_await turn.async_wait(asio::use_awaitable);
    }
  };
  run(context, scenario());
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->error().code, ErrorCode::kUnavailable);
}

// A real server in a directory whose path is longer than a socket address may be.
class RealServer {
 public:
  explicit RealServer(asio::io_context& context) {
    char pattern[] = "/tmp/hikae-resp-XXXXXX";
    root_ = ::mkdtemp(pattern);
    directory_ = root_ / std::string(60, 'd') / std::string(60, 'e');
    std::filesystem::create_directories(directory_);
    tcp::acceptor probe(context, tcp::endpoint(asio::ip::make_address_v4("127.77.3.2"), 0));
    port_ = probe.local_endpoint().port();
    probe.close();
  }

  ~RealServer() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    std::filesystem::remove_all(root_);
  }

  // False when neither engine is installed.
  bool start() {
    for (const char* program : {"valkey-server", "redis-server"}) {
      std::vector<std::string> arguments{program,      "--port",     std::to_string(port_),
                                         "--bind",     "127.77.3.2", "--unixsocket",
                                         "admin.sock", "--dir",      directory_.string(),
                                         "--save",     "",           "--user",
                                         "admin",      "on",         ">hunter2",
                                         "~*",         "&*",         "+@all",
                                         "--logfile",  "log"};
      std::vector<char*> argv;
      for (std::string& argument : arguments) {
        argv.push_back(argument.data());
      }
      argv.push_back(nullptr);
      if (::posix_spawnp(&pid_, program, nullptr, nullptr, argv.data(), environ) == 0) {
        return true;
      }
      pid_ = -1;
    }
    return false;
  }

  Target by_path() const { return Target::at_path((directory_ / "admin.sock").string()); }
  Target by_address() const { return Target::at_address(Ipv4(0x7F4D0302), port_); }

 private:
  std::filesystem::path root_;
  std::filesystem::path directory_;
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
};

asio::awaitable<Result<Connection>> connect_when_ready(Target target) {
  asio::steady_timer pause(co_await asio::this_coro::executor);
  Result<Connection> connection;
  for (int attempt = 0; attempt < 1000; ++attempt) {
    connection = co_await Connection::connect(target, kLong);
    if (connection) {
      break;
    }
    pause.expires_after(std::chrono::milliseconds(10));
    co_await pause.async_wait(asio::use_awaitable);
  }
  co_return connection;
}

TEST(RespConnection, TalksToARealServer) {
  asio::io_context context(1);
  RealServer server(context);
  if (!server.start()) {
    GTEST_SKIP() << "neither valkey-server nor redis-server is installed";
  }
  const auto scenario = [&]() -> asio::awaitable<void> {
    Target by_path = server.by_path();
    EXPECT_GT(by_path.unix_path.size(), 108u);
    auto local = co_await connect_when_ready(by_path);
    EXPECT_TRUE(local) << local.error().message;
    if (!local) {
      co_return;
    }
    const std::string binary("a\r\nb\0c", 6);
    const auto set = co_await local->command(words("SET", "key", binary), kLong);
    EXPECT_TRUE(set && set->is_ok());

    Target by_address = server.by_address();
    by_address.credentials = Credentials{"admin", "hunter2"};
    auto remote = co_await Connection::connect(by_address, kLong);
    EXPECT_TRUE(remote) << remote.error().message;
    std::vector<std::vector<std::string>> commands{words("GET", "key"), words("NOPE"),
                                                   words("ROLE"), words("INFO", "replication")};
    const auto replies = co_await remote->pipeline(commands, kLong);
    EXPECT_EQ(replies->at(0).as_text(), binary);
    EXPECT_EQ(replies->at(1).error_code(), "ERR");
    EXPECT_EQ(replies->at(2).array().at(0).as_text(), "master");
    EXPECT_NE(replies->at(3).as_text().find("role:master"), std::string::npos);

    by_address.credentials = Credentials{"admin", "wrong"};
    const auto refused = co_await Connection::connect(by_address, kLong);
    EXPECT_EQ(refused.error().code, ErrorCode::kDenied);

    // A command that blocks in the server runs into its deadline.
    const auto blocked = co_await remote->command(words("BLPOP", "empty", "0"), kShort);
    EXPECT_EQ(blocked.error().code, ErrorCode::kTimeout);
    EXPECT_FALSE(remote->is_open());
  };
  run(context, scenario());
}

}  // namespace
}  // namespace hikae::resp
