#include <filesystem>
#include <fstream>
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
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "adapters/delivery/line_file.h"
#include "adapters/delivery/log_tail.h"
#include "adapters/delivery/webhook.h"
#include "base/testing/temporary_directory.h"

namespace hikae::adapters {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

std::string content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::string& text, bool append = false) {
  std::ofstream file(path, append ? std::ios::app : std::ios::trunc);
  file << text;
}

TEST(WebhookUrl, IsTakenApart) {
  const auto plain = WebhookUrl::parse("http://hooks.example");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->peer, (net::Peer{"hooks.example", 80}));
  EXPECT_EQ(plain->target, "/");
  EXPECT_FALSE(plain->tls);
  const auto whole = WebhookUrl::parse("https://10.0.0.1:8443/a/b?key=1");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->peer, (net::Peer{"10.0.0.1", 8443}));
  EXPECT_EQ(whole->target, "/a/b?key=1");
  EXPECT_TRUE(whole->tls);
  const auto six = WebhookUrl::parse("http://[::1]:80?x");
  ASSERT_TRUE(six);
  EXPECT_EQ(six->peer, (net::Peer{"::1", 80}));
  EXPECT_EQ(six->target, "/?x");
}

TEST(WebhookUrl, RefusesWhatItIsNot) {
  for (const char* text :
       {"", "hooks.example", "ftp://a", "http://", "http://:80", "http://a:0", "http://a:x",
        "http://a:65536", "http://user@a", "http://a/#b", "http://a/b c", "http://a/\n"}) {
    EXPECT_FALSE(WebhookUrl::parse(text)) << text;
  }
}

// Takes one connection, remembers the request and gives one answer.
class OneAnswer {
 public:
  OneAnswer(asio::io_context& context, std::string answer)
      : acceptor_(context, asio::ip::tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)),
        answer_(std::move(answer)) {
    asio::co_spawn(context, run(), asio::detached);
  }
  std::string url() const {
    return fmt::format("http://127.0.0.1:{}/hook?key=secret", acceptor_.local_endpoint().port());
  }
  const std::string& request() const { return request_; }

 private:
  asio::awaitable<void> run() {
    constexpr auto token = asio::as_tuple(asio::use_awaitable);
    auto [error, socket] = co_await acceptor_.async_accept(token);
    std::string buffer(4096, '\0');
    while (!error && !request_.ends_with("}")) {
      const auto into = asio::buffer(buffer);
      const auto [failed, got] = co_await socket.async_read_some(into, token);
      request_.append(buffer, 0, got);
      error = failed;
    }
    const auto out = asio::buffer(answer_);
    co_await asio::async_write(socket, out, token);
  }

  asio::ip::tcp::acceptor acceptor_;
  std::string answer_;
  std::string request_;
};

Status deliver(asio::io_context& context, Webhook& webhook, std::string message) {
  Status out;
  asio::co_spawn(context, webhook.deliver(std::move(message)),
                 [&](std::exception_ptr, Status status) { out = std::move(status); });
  context.restart();
  context.run();
  return out;
}

TEST(WebhookTest, PostsJson) {
  asio::io_context context;
  OneAnswer server(context, "HTTP/1.1 204 No Content\r\n\r\n");
  auto webhook = Webhook::open(server.url());
  ASSERT_TRUE(webhook);
  EXPECT_TRUE(deliver(context, *webhook, R"({"a":1})"));
  EXPECT_TRUE(server.request().starts_with("POST /hook?key=secret HTTP/1.1\r\n"));
  EXPECT_NE(server.request().find("application/json"), std::string::npos);
  EXPECT_TRUE(server.request().ends_with("\r\n\r\n{\"a\":1}"));
  EXPECT_EQ(webhook->place().find("secret"), std::string::npos);
}

TEST(WebhookTest, AnythingButSuccessIsAFailure) {
  asio::io_context context;
  OneAnswer server(context, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
  auto webhook = Webhook::open(server.url());
  ASSERT_TRUE(webhook);
  const Status refused = deliver(context, *webhook, "{}");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("answered 503"), std::string::npos);
  auto nobody = Webhook::open("http://127.0.0.1:1/");
  ASSERT_TRUE(nobody);
  EXPECT_EQ(deliver(context, *nobody, "{}").error().code, ErrorCode::kUnavailable);
}

TEST(LineFileTest, GrowsAndIsBegunAnew) {
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/a/b/log";
  const LineFileLimits limits{10, 2};
  for (const char* line : {"first\n", "more\n", "second\n", "third\n", "fourth\n"}) {
    ASSERT_TRUE(append_lines(path, line, limits)) << line;
  }
  EXPECT_EQ(content(path), "fourth\n");
  EXPECT_EQ(content(path + ".1"), "third\n");
  EXPECT_EQ(content(path + ".2"), "second\n");
  EXPECT_FALSE(fs::exists(path + ".3"));
  EXPECT_EQ(fs::status(path).permissions() & fs::perms(0777), fs::perms(0600));
}

TEST(LineFileTest, SaysWhyNothingCanBeWritten) {
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/file";
  write(path, "in the way");
  const Status failed = append_lines(path + "/log", "x\n", LineFileLimits());
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message.find(path), std::string::npos);
}

TEST(LogTail, BeginsAtTheEndAndFollows) {
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/engine.log";
  EXPECT_EQ(read_tail(path, {}).error().code, ErrorCode::kNotFound);
  write(path, "old\n");
  auto chunk = read_tail(path, {});
  ASSERT_TRUE(chunk);
  EXPECT_TRUE(chunk->lines.empty());
  write(path, "a\nb\nhalf", true);
  chunk = read_tail(path, chunk->place);
  ASSERT_TRUE(chunk);
  EXPECT_EQ(chunk->lines, (std::vector<std::string>{"a", "b"}));
  write(path, " whole\n", true);
  chunk = read_tail(path, chunk->place);
  EXPECT_EQ(chunk->lines, (std::vector<std::string>{"half whole"}));
  chunk = read_tail(path, chunk->place);
  EXPECT_TRUE(chunk->lines.empty());
}

TEST(LogTail, ReadsAFileThatWasStillToComeFromItsBeginning) {
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/engine.log";
  write(path, "first\n");
  const auto chunk = read_tail(path, {control::LogPlace::kComing, 0});
  ASSERT_TRUE(chunk);
  EXPECT_EQ(chunk->lines, (std::vector<std::string>{"first"}));
}

TEST(LogTail, FollowsIntoTheNextFile) {
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/engine.log";
  write(path, "old\n");
  const auto begun = read_tail(path, {});
  ASSERT_TRUE(begun);
  write(path, "last of it\n", true);
  fs::rename(path, path + ".1");
  write(path, "first of the next\n");
  auto chunk = read_tail(path, begun->place);
  ASSERT_TRUE(chunk);
  EXPECT_EQ(chunk->lines, (std::vector<std::string>{"last of it"}));
  chunk = read_tail(path, chunk->place);
  EXPECT_EQ(chunk->lines, (std::vector<std::string>{"first of the next"}));
}

TEST(LogTail, ALineWithoutEndIsToldInPieces) {
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/engine.log";
  write(path, "");
  const auto begun = read_tail(path, {});
  write(path, std::string(kMostTailBytes + 10, 'x') + "\n");
  auto chunk = read_tail(path, begun->place);
  ASSERT_TRUE(chunk);
  ASSERT_EQ(chunk->lines.size(), 1u);
  EXPECT_EQ(chunk->lines[0].size(), kMostTailBytes);
  chunk = read_tail(path, chunk->place);
  EXPECT_EQ(chunk->lines, (std::vector<std::string>{std::string(10, 'x')}));
}

}  // namespace
}  // namespace hikae::adapters
