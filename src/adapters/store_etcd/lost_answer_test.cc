// A request that was carried out though its answer was lost.
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "adapters/store_etcd/etcd_leadership.h"
#include "adapters/store_etcd/etcd_store.h"
#include "adapters/store_etcd/etcd_test_clock.h"
#include "adapters/store_etcd/etcd_test_cluster.h"
#include "net/http_client.h"

namespace hikae::etcd {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using control::put_host;
using control::run_to_end;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr Duration kWait = std::chrono::seconds(10);

// Stands before a member of etcd. It loses the answer to the first transaction, and is gone then.
class LossyMember {
 public:
  // `meanwhile` runs on a thread of its own when the transaction is made, before its answer is
  // lost.
  LossyMember(net::Peer real, std::function<void()> meanwhile)
      : real_(std::move(real)),
        meanwhile_(std::move(meanwhile)),
        acceptor_(context_, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)),
        peer_{"127.0.0.1", acceptor_.local_endpoint().port()} {
    asio::co_spawn(context_, serve(), asio::detached);
    thread_ = std::thread([this] { context_.run(); });
  }
  ~LossyMember() {
    context_.stop();
    thread_.join();
  }
  LossyMember(const LossyMember&) = delete;
  LossyMember& operator=(const LossyMember&) = delete;

  const net::Peer& peer() const { return peer_; }

 private:
  asio::awaitable<void> serve() {
    while (acceptor_.is_open()) {
      auto [error, socket] = co_await acceptor_.async_accept(kAwait);
      bool open = !error;
      while (open) {
        open = co_await relay(socket);
      }
    }
  }

  // False: the connection is over.
  asio::awaitable<bool> relay(tcp::socket& socket) {
    net::HttpRequest request;
    const bool asked = co_await read(socket, request);
    if (!asked) {
      co_return false;
    }
    const bool is_transaction = request.target == "/v3/kv/txn";
    auto upstream = co_await net::HttpClient::open(real_, nullptr, kWait);
    const auto answer = co_await upstream->send(std::move(request), kWait);
    if (is_transaction) {
      meanwhile_();
      acceptor_.close();
      co_return false;
    }
    const std::string told = fmt::format("HTTP/1.1 {} .\r\nContent-Length: {}\r\n\r\n{}",
                                         answer->status, answer->body.size(), answer->body);
    const auto out = asio::buffer(told);
    co_await asio::async_write(socket, out, kAwait);
    co_return true;
  }

  // Takes one request off the connection, as our client writes it.
  asio::awaitable<bool> read(tcp::socket& socket, net::HttpRequest& request) {
    constexpr std::string_view kLength = "Content-Length: ";
    std::size_t size = std::string::npos;
    while (waiting_.size() < size) {
      char bytes[4096];
      const auto room = asio::buffer(bytes);
      const auto [error, count] = co_await socket.async_read_some(room, kAwait);
      if (error) {
        waiting_.clear();
        co_return false;
      }
      waiting_.append(bytes, count);
      const auto head = waiting_.find("\r\n\r\n");
      if (head != std::string::npos) {
        const auto length = waiting_.find(kLength) + kLength.size();
        size = head + 4 + std::stoul(waiting_.substr(length));
        request.body = waiting_.substr(head + 4);
      }
    }
    const auto target = waiting_.find(' ') + 1;
    request.target = waiting_.substr(target, waiting_.find(' ', target) - target);
    waiting_.erase(0, size);
    co_return true;
  }

  const net::Peer real_;
  const std::function<void()> meanwhile_;
  asio::io_context context_{1};
  tcp::acceptor acceptor_;
  const net::Peer peer_;
  std::string waiting_;
  std::thread thread_;
};

struct Server {
  Server(EtcdOptions options, std::uint64_t seed)
      : random(seed), client(std::move(options)), store(client, random) {}
  asio::io_context context{1};  // outlives the connections
  SeededRandom random;
  EtcdClient client;
  EtcdStore store;
};

Status commit(Server& server, core::Transition transition, std::uint64_t expected) {
  return run_to_end(server.context, server.store.commit(std::move(transition),
                                                        core::Revision(expected), std::nullopt));
}

class LostAnswerTest : public testing::Test {
 protected:
  EtcdOptions real() const { return one_member().options(prefix_); }
  // The member that loses an answer first, and then the real one.
  EtcdOptions lossy(std::function<void()> meanwhile) {
    EtcdOptions options = real();
    lossy_ = std::make_unique<LossyMember>(options.endpoints.front(), std::move(meanwhile));
    options.endpoints.insert(options.endpoints.begin(), lossy_->peer());
    return options;
  }
  core::State load() {
    Server reader(real(), 7);
    auto state = run_to_end(reader.context, reader.store.load());
    EXPECT_TRUE(state) << state.error().message;
    return state ? std::move(*state) : core::State();
  }
  static void nothing() {}

  const std::string prefix_ = one_member().fresh_prefix();
  std::unique_ptr<LossyMember> lossy_;
};

TEST_F(LostAnswerTest, ACommitIsMadeOnceAndRecognised) {
  Server server(lossy(nothing), 1);
  const Status made = commit(server, put_host("a"), 0);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(load().revision(), core::Revision(1));
  EXPECT_TRUE(commit(server, put_host("b"), 1));
}

TEST_F(LostAnswerTest, ALargeCommitToo) {
  core::Transition many;
  for (std::uint64_t number = 1; number <= 300; ++number) {
    core::Event event;
    event.id = core::Event::Key(number);
    many.put(event);
  }
  Server server(lossy(nothing), 1);
  const Status made = commit(server, std::move(many), 0);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(load().all<core::Event>().size(), 300u);
}

// Nobody can tell whether it is among what happened, so nobody may make it again unseen.
TEST_F(LostAnswerTest, ACommitWithAnotherOneBehindItMayHaveBeenMade) {
  Server other(real(), 2);
  Status behind;
  Server server(lossy([&] { behind = commit(other, put_host("behind"), 1); }), 1);
  const Status unknown = commit(server, put_host("a"), 0);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::kTimeout) << unknown.error().message;
  ASSERT_TRUE(behind) << behind.error().message;
  const core::State state = load();
  EXPECT_EQ(state.revision(), core::Revision(2));
  EXPECT_EQ(state.all<core::Host>().size(), 2u);
  EXPECT_TRUE(commit(server, put_host("next"), 2));
}

TEST_F(LostAnswerTest, AnElectionIsWonOnce) {
  TestClock clock;
  Server server(lossy(nothing), 1);
  EtcdLeadership leadership(server.context.get_executor(), server.client, clock, "a");
  const auto term = run_to_end(server.context, leadership.campaign());
  ASSERT_TRUE(term) << term.error().message;
  EXPECT_TRUE(
      run_to_end(server.context, server.store.commit(put_host("a"), core::Revision(0), *term)));
}

}  // namespace
}  // namespace hikae::etcd
