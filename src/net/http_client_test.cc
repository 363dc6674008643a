#include "net/http_client.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

namespace hikae::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr Duration kLong = std::chrono::seconds(20);
constexpr Duration kShort = std::chrono::milliseconds(50);

// Takes one connection and gives one prepared piece for every request; an empty piece is silence.
// Closes after the last.
class ScriptedServer {
 public:
  ScriptedServer(asio::io_context& context, std::vector<std::string> pieces)
      : acceptor_(context, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)),
        pieces_(std::move(pieces)) {
    asio::co_spawn(context, run(), asio::detached);
  }
  Peer peer() const { return Peer{"127.0.0.1", acceptor_.local_endpoint().port()}; }
  const std::string& requests() const { return requests_; }

 private:
  asio::awaitable<void> run() {
    auto [error, socket] = co_await acceptor_.async_accept(kAwait);
    for (const std::string& piece : pieces_) {
      const bool asked = co_await read_request(socket);
      if (!asked) {
        co_return;
      }
      const auto out = asio::buffer(piece);
      co_await asio::async_write(socket, out, kAwait);
      while (piece.empty() && co_await read_request(socket)) {
      }
    }
  }

  asio::awaitable<bool> read_request(tcp::socket& socket) {
    char bytes[4096];
    const auto room = asio::buffer(bytes);
    const auto [error, count] = co_await socket.async_read_some(room, kAwait);
    requests_.append(bytes, count);
    co_return !error;
  }

  tcp::acceptor acceptor_;
  std::vector<std::string> pieces_;
  std::string requests_;
};

template <class T>
asio::awaitable<void> keep_result(asio::awaitable<T> operation, std::optional<T>& result) {
  result.emplace(co_await std::move(operation));
}

class HttpClientTest : public testing::Test {
 protected:
  template <class T>
  T run(asio::awaitable<T> operation) {
    std::optional<T> result;
    asio::co_spawn(context_, keep_result(std::move(operation), result),
                   [&](std::exception_ptr error) {
                     ASSERT_EQ(error, nullptr);
                     context_.stop();
                   });
    context_.restart();
    context_.run();
    return std::move(*result);
  }

  HttpClient connect(std::vector<std::string> pieces) {
    server_ = std::make_unique<ScriptedServer>(context_, std::move(pieces));
    auto client = run(HttpClient::open(server_->peer(), nullptr, kLong));
    EXPECT_TRUE(client) << client.error().message;
    return std::move(*client);
  }

  static HttpRequest ask(std::string body) {
    HttpRequest request;
    request.target = "/v3/kv/range";
    request.headers.emplace_back("Authorization", "token");
    request.body = std::move(body);
    return request;
  }

  asio::io_context context_{1};
  std::unique_ptr<ScriptedServer> server_;
};

TEST_F(HttpClientTest, OneConnectionCarriesManyRequests) {
  HttpClient client = connect({
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst",
      "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n"
      "3\r\nsec\r\n3\r\nond\r\n0\r\nX: y\r\n\r\n",
  });
  const auto first = run(client.send(ask("{}"), kLong));
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->status, 200);
  EXPECT_EQ(first->body, "first");
  EXPECT_TRUE(client.is_open());
  const auto second = run(client.send(ask("two"), kLong));
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->status, 404);
  EXPECT_EQ(second->body, "second");
  EXPECT_EQ(server_->requests(), "POST /v3/kv/range HTTP/1.1\r\nHost: " + server_->peer().str() +
                                     "\r\nContent-Length: 2\r\nAuthorization: token\r\n\r\n{}"
                                     "POST /v3/kv/range HTTP/1.1\r\nHost: " +
                                     server_->peer().str() +
                                     "\r\nContent-Length: 3\r\nAuthorization: token\r\n\r\ntwo");
}

TEST_F(HttpClientTest, AnAnswerMayEndWithTheConnection) {
  HttpClient client = connect({"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it"});
  const auto answer = run(client.send(ask(""), kLong));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "all of it");
  EXPECT_FALSE(client.is_open());
}

TEST_F(HttpClientTest, AStreamComesPieceByPiece) {
  HttpClient client = connect({
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n",
  });
  const auto head = run(client.begin(ask("watch"), kLong));
  ASSERT_TRUE(head) << head.error().message;
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(run(client.more(kLong)).value(), "one\n");
  const auto broken = run(client.more(kLong));
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, ErrorCode::kUnavailable);
}

TEST_F(HttpClientTest, AStreamThatEndsSaysSo) {
  HttpClient client = connect({
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
  });
  ASSERT_TRUE(run(client.begin(ask("watch"), kLong)));
  // All of it may have come with the head.
  const auto piece = run(client.more(kLong));
  if (piece) {
    EXPECT_EQ(*piece, "ab");
    EXPECT_EQ(run(client.more(kLong)).error().code, ErrorCode::kNotFound);
  }
}

TEST_F(HttpClientTest, SilenceIsATimeoutOfWhatMayHaveHappened) {
  HttpClient client = connect({""});
  const auto answer = run(client.send(ask("{}"), kShort));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kTimeout);
  EXPECT_FALSE(client.is_open());
}

TEST_F(HttpClientTest, ABrokenAnswerMayHaveHappenedToo) {
  HttpClient client = connect({"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf"});
  const auto answer = run(client.send(ask("{}"), kLong));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kTimeout);
}

TEST_F(HttpClientTest, JunkIsRefused) {
  for (const char* junk : {"SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 20000 OK\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    HttpClient client = connect({junk});
    const auto answer = run(client.send(ask("{}"), kLong));
    ASSERT_FALSE(answer) << junk;
    EXPECT_EQ(answer.error().code, ErrorCode::kInvalid) << answer.error().message;
    EXPECT_FALSE(client.is_open());
  }
}

TEST_F(HttpClientTest, AnAnswerBeyondTheLimitIsRefused) {
  HttpClient client = connect({"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nx"});
  const auto answer = run(client.send(ask("{}"), kLong));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kExhausted) << answer.error().message;
}

TEST_F(HttpClientTest, APortWithoutServerIsUnavailable) {
  std::uint16_t port = 0;
  {
    tcp::acceptor acceptor(context_, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
    port = acceptor.local_endpoint().port();
  }
  const Peer nobody{"127.0.0.1", port};
  const auto client = run(HttpClient::open(nobody, nullptr, kLong));
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(client.error().message.find(nobody.str()), std::string::npos);
}

TEST_F(HttpClientTest, ANameIsResolved) {
  server_ = std::make_unique<ScriptedServer>(
      context_, std::vector<std::string>{"HTTP/1.1 204 No Content\r\n\r\n"});
  const Peer by_name{"localhost", server_->peer().port};
  auto client = run(HttpClient::open(by_name, nullptr, kLong));
  ASSERT_TRUE(client) << client.error().message;
  EXPECT_EQ(run(client->send(ask(""), kLong))->status, 204);
}

TEST(Peer, Ipv6StandsInBrackets) {
  EXPECT_EQ((Peer{"::1", 2379}.str()), "[::1]:2379");
}

}  // namespace
}  // namespace hikae::net
