#include "adapters/http/server.h"

#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <sys/time.h>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hikae::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A blocking client that writes and reads raw bytes. Nothing it waits for takes longer than 10 s.
class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(context_) {
    socket_.connect(tcp::endpoint(asio::ip::make_address("127.0.0.1"), port));
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  void send(std::string_view bytes) {
    boost::system::error_code ignored;  // the server may have closed already
    asio::write(socket_, asio::buffer(bytes.data(), bytes.size()), ignored);
  }
  // Reads until `end` has arrived or the connection is closed, and returns what came up to there.
  std::string read_until(std::string_view end) {
    while (received_.find(end) == std::string::npos && receive()) {
    }
    const auto at = received_.find(end);
    const auto length = at == std::string::npos ? received_.size() : at + end.size();
    std::string out = received_.substr(0, length);
    received_.erase(0, length);
    return out;
  }
  std::string read_to_close() {
    while (receive()) {
    }
    return std::exchange(received_, {});
  }
  bool closed() { return received_.empty() && !receive(); }

 private:
  bool receive() {
    char chunk[4096];
    const auto length = ::recv(socket_.native_handle(), chunk, sizeof chunk, 0);
    EXPECT_FALSE(length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) << "no answer in 10 s";
    if (length > 0) {
      received_.append(chunk, std::size_t(length));
    }
    return length > 0;
  }

  asio::io_context context_;
  tcp::socket socket_;
  std::string received_;
};

// A server whose io_context runs on its own thread. `/slow` waits for release(), `/throw` throws,
// everything else is echoed: `METHOD target [body] header-count`.
class ServerTest : public testing::Test {
 protected:
  ServerTest() : gate_(context_), work_(context_.get_executor()) {
    gate_.expires_at(asio::steady_timer::time_point::max());
    limits_.idle = milliseconds(20'000);
    thread_ = std::thread([this] { context_.run(); });
  }
  ~ServerTest() override {
    if (server_) {
      stop();
      on_thread([this] { server_.reset(); });
    }
    work_.reset();
    thread_.join();
  }

  void start() {
    on_thread([this] {
      auto handler = [this](Request request) { return handle(std::move(request)); };
      auto on_error = [](int status, std::string_view why) {
        return Response{status, {{"Content-Type", "text/xml"}}, fmt::format("<Why>{}</Why>", why)};
      };
      server_ = std::make_unique<Server>(context_, limits_, handler, on_error);
      port_ = server_->listen("127.0.0.1", 0).value().port;
    });
  }
  void stop() { asio::co_spawn(context_, server_->stop(), asio::use_future).get(); }
  void release() {
    on_thread([this] { gate_.cancel(); });
  }
  // Until the handler of a `/slow` request has begun.
  void wait_for_slow() {
    EXPECT_EQ(slow_.get_future().wait_for(milliseconds(10'000)), std::future_status::ready);
  }
  template <class F>
  void on_thread(F function) {
    std::promise<void> done;
    asio::post(context_, [&] {
      function();
      done.set_value();
    });
    done.get_future().get();
  }

  asio::awaitable<Response> handle(Request request) {
    if (request.target == "/slow") {
      slow_.set_value();
      try {
        co_await gate_.async_wait(asio::use_awaitable);
      } catch (const std::exception&) {
        released_ = true;  // by release(), or by the server's own cancellation
      }
    }
    if (request.target == "/throw") {
      throw std::runtime_error("broken");
    }
    Response response;
    response.headers = {{"X-Peer", request.peer_is_loopback ? "loopback" : request.peer},
                        {"X-Split", "a\r\nInjected: b"}};
    response.body = fmt::format("{} {} [{}] {}", request.method, request.target, request.body,
                                request.headers.size());
    co_return response;
  }

  asio::io_context context_{1};
  asio::steady_timer gate_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  Limits limits_;
  std::unique_ptr<Server> server_;
  std::promise<void> slow_;
  bool released_ = false;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

TEST_F(ServerTest, AnswersAndKeepsTheConnection) {
  start();
  Client client(port_);
  for (int i = 0; i < 3; ++i) {
    client.send(
        fmt::format("POST /{}?a=%20+b HTTP/1.1\r\nHost: h:1\r\nContent-Length: 3\r\n\r\na=b", i));
    const std::string answer = client.read_until("] 2");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(answer, EndsWith(fmt::format("\r\n\r\nPOST /{}?a=%20+b [a=b] 2", i)));
    EXPECT_THAT(answer, HasSubstr("X-Peer: loopback\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nDate: "));
    EXPECT_THAT(answer, Not(HasSubstr("Connection:")));
  }
}

TEST_F(ServerTest, HeaderValuesCannotAddHeaders) {
  start();
  Client client(port_);
  client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string answer = client.read_to_close();
  EXPECT_THAT(answer, HasSubstr("X-Split: aInjected: b\r\n"));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  start();
  Client client(port_);
  client.send(
      "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked"
      "\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\nGET /3 HTTP/1.1\r\nHost: h\r\nConnection: "
      "close\r\n\r\n");
  EXPECT_THAT(client.read_until("] 1"), EndsWith("GET /1 [] 1"));
  EXPECT_THAT(client.read_until("] 2"), EndsWith("POST /2 [abc] 2"));
  EXPECT_THAT(client.read_to_close(), EndsWith("GET /3 [] 2"));
}

TEST_F(ServerTest, OldVersionClosesUnlessAsked) {
  start();
  Client closing(port_);
  closing.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(closing.read_to_close(), EndsWith("GET / [] 0"));
  Client keeping(port_);
  keeping.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(keeping.read_until("] 1"), HasSubstr("Connection: keep-alive\r\n"));
}

TEST_F(ServerTest, HeadHasTheLengthButNoBody) {
  start();
  Client client(port_);
  client.send("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string answer = client.read_to_close();
  EXPECT_THAT(answer, HasSubstr("Content-Length: 11\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(ServerTest, SaysContinueBeforeTheBody) {
  start();
  Client client(port_);
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hi");
  EXPECT_THAT(client.read_until("] 3"), EndsWith("POST / [hi] 3"));
}

TEST_F(ServerTest, MalformedRequestsAreRefusedAndClosed) {
  start();
  for (const char* text :
       {"nonsense\r\n\r\n", "GET / HTTP/9.9\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nbad header\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    Client client(port_);
    client.send(text);
    const std::string answer = client.read_until("</Why>");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 Bad Request\r\n")) << text;
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n")) << text;
  }
}

TEST_F(ServerTest, TooLargeBodyIsRefused) {
  limits_.body_bytes = 1000;
  start();
  Client announced(port_);
  announced.send(
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(announced.read_until("</Why>"), StartsWith("HTTP/1.1 413 "));
  Client chunked(port_);
  chunked.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" +
               std::string(1001, 'x') + "\r\n0\r\n\r\n");
  EXPECT_THAT(chunked.read_until("</Why>"), StartsWith("HTTP/1.1 413 "));
  Client fitting(port_);
  fitting.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n" +
               std::string(1000, 'x'));
  EXPECT_THAT(fitting.read_until("] 2"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, TooLargeHeaderIsRefused) {
  limits_.header_bytes = 2000;
  start();
  Client client(port_);
  client.send("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(200'000, 'x') + "\r\n\r\n");
  EXPECT_THAT(client.read_until("</Why>"),
              StartsWith("HTTP/1.1 431 Request Header Fields Too Large\r\n"));
}

TEST_F(ServerTest, HandlerThatThrowsIsAnInternalError) {
  start();
  Client client(port_);
  client.send("GET /throw HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.read_until("</Why>"), StartsWith("HTTP/1.1 500 "));
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.read_until("] 1"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, SlowRequestIsCutOff) {
  limits_.request_read = milliseconds(50);
  start();
  Client half(port_);
  half.send("GET / HT");
  EXPECT_EQ(half.read_to_close(), "");
  Client half_body(port_);
  half_body.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
  EXPECT_EQ(half_body.read_to_close(), "");
}

TEST_F(ServerTest, IdleConnectionIsClosed) {
  limits_.idle = milliseconds(50);
  start();
  Client client(port_);
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.read_until("] 1"), StartsWith("HTTP/1.1 200 "));
  EXPECT_TRUE(client.closed());
}

TEST_F(ServerTest, ConnectionsOverTheLimitAreTold) {
  limits_.connections = 1;
  start();
  std::optional<Client> first(port_);
  first->send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(first->read_until("] 1"), StartsWith("HTTP/1.1 200 "));
  Client second(port_);
  EXPECT_THAT(second.read_until("</Why>"), StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  first->send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(first->read_until("] 1"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, TakenPortIsAClearError) {
  start();
  on_thread([this] {
    const auto taken = server_->listen("127.0.0.1", port_);
    ASSERT_FALSE(taken.has_value());
    EXPECT_EQ(taken.error().code, ErrorCode::kConflict);
    EXPECT_THAT(taken.error().message, HasSubstr(fmt::format("127.0.0.1:{}", port_)));
    EXPECT_EQ(server_->listen("localhost?", 0).error().code, ErrorCode::kInvalid);
    EXPECT_EQ(server_->listen("192.0.2.1", 0).error().code, ErrorCode::kUnavailable);
    EXPECT_TRUE(server_->listen("127.0.0.2", port_).has_value());
  });
}

TEST_F(ServerTest, StopClosesIdleAndFinishesRunning) {
  start();
  Client idle(port_);
  idle.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(idle.read_until("] 1"), StartsWith("HTTP/1.1 200 "));
  Client running(port_);
  running.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  wait_for_slow();
  auto stopped = asio::co_spawn(context_, server_->stop(), asio::use_future);
  EXPECT_TRUE(idle.closed());
  release();
  const std::string answer = running.read_to_close();
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(answer, EndsWith("GET /slow [] 1"));
  stopped.get();
  on_thread([this] { EXPECT_EQ(server_->connections(), 0u); });
  EXPECT_THROW(Client{port_}, boost::system::system_error);  // nobody listens any more
}

TEST_F(ServerTest, StopCancelsWhatDoesNotFinish) {
  limits_.drain = milliseconds(50);
  start();
  Client client(port_);
  client.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  wait_for_slow();
  stop();
  on_thread([this] {
    EXPECT_EQ(server_->connections(), 0u);
    EXPECT_TRUE(released_);
  });
  EXPECT_EQ(client.read_to_close(), "");
}

}  // namespace
}  // namespace hikae::http
