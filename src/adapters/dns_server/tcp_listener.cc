#include "adapters/dns_server/tcp_listener.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace hikae::dns {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t kLengthSize = 2;
// Questions take less than 300 bytes; room for EDNS options and signatures we ignore.
constexpr std::size_t kMaxQuerySize = 4096;
// Answers are sent when there are this many bytes of them, so a client that sends without reading
// cannot make us hold more.
constexpr std::size_t kMaxUnsent = 64 * 1024;
// Time between accepts that fail for want of descriptors: trying at once would only burn the CPU.
constexpr std::chrono::milliseconds kAcceptPause(100);

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, Answering& answering, std::size_t& open_connections,
             Duration idle_timeout)
      : socket_(std::move(socket)),
        timer_(socket_.get_executor()),
        answering_(answering),
        open_connections_(open_connections),
        idle_timeout_(idle_timeout) {
    ++open_connections_;
  }
  ~Connection() { --open_connections_; }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  asio::awaitable<void> run(std::shared_ptr<Connection> /*keeps this alive*/) {
    watch();
    while (true) {
      const auto room = asio::buffer(in_.data() + in_size_, in_.size() - in_size_);
      const auto [read_error, count] =
          co_await socket_.async_read_some(room, asio::as_tuple(asio::use_awaitable));
      if (read_error) {
        break;
      }
      in_size_ += count;
      bool more = true;
      while (more) {
        more = answer_some();
        if (out_.empty()) {
          continue;
        }
        const auto answers = asio::buffer(out_);
        const auto [write_error, written] =
            co_await asio::async_write(socket_, answers, asio::as_tuple(asio::use_awaitable));
        if (write_error) {
          broken_ = true;
          break;
        }
        out_.clear();
        watch();  // only a whole query answered is a sign of life
      }
      if (broken_) {
        break;
      }
    }
    timer_.cancel();
  }

 private:
  // Closes the connection when nothing has been answered for the idle time.
  void watch() {
    timer_.expires_after(idle_timeout_);
    timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
      const auto self = weak.lock();
      if (!error && self) {
        boost::system::error_code ignored;
        self->socket_.close(ignored);
      }
    });
  }

  // Answers whole queries of in_ into out_. True when it stopped because out_ is full and should be
  // called again.
  bool answer_some() {
    answering_.refresh();
    std::size_t at = 0;
    bool full = false;
    while (in_size_ - at >= kLengthSize) {
      const std::size_t size = std::size_t{in_[at]} << 8 | in_[at + 1];
      if (size > kMaxQuerySize) {
        broken_ = true;
        break;
      }
      if (in_size_ - at - kLengthSize < size) {
        break;
      }
      if (out_.size() >= kMaxUnsent) {
        full = true;
        break;
      }
      append_answer(std::span(in_).subspan(at + kLengthSize, size));
      at += kLengthSize + size;
    }
    std::memmove(in_.data(), in_.data() + at, in_size_ - at);
    in_size_ -= at;
    return full;
  }

  void append_answer(std::span<const std::uint8_t> query) {
    // Written by one thread only, and used up before the next suspension.
    static thread_local std::array<std::uint8_t, codec::dns::kTcpLimit> scratch;
    const std::size_t size = answering_.answer(query, Transport::kTcp, scratch);
    if (size == 0) {
      return;
    }
    out_.push_back(static_cast<std::uint8_t>(size >> 8));
    out_.push_back(static_cast<std::uint8_t>(size));
    out_.insert(out_.end(), scratch.data(), scratch.data() + size);
  }

  tcp::socket socket_;
  asio::steady_timer timer_;
  Answering& answering_;
  std::size_t& open_connections_;
  const Duration idle_timeout_;
  std::array<std::uint8_t, kLengthSize + kMaxQuerySize> in_;
  std::size_t in_size_ = 0;
  std::vector<std::uint8_t> out_;
  bool broken_ = false;
};

}  // namespace

TcpListener::TcpListener(tcp::acceptor acceptor, Answering& answering,
                         std::size_t& open_connections, const DnsServerOptions& options)
    : acceptor_(std::move(acceptor)),
      answering_(answering),
      open_connections_(open_connections),
      options_(options) {}

void TcpListener::start() {
  asio::co_spawn(acceptor_.get_executor(), accept_loop(), asio::detached);
}

asio::awaitable<void> TcpListener::accept_loop() {
  asio::steady_timer pause(acceptor_.get_executor());
  while (acceptor_.is_open()) {
    auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
    if (error == asio::error::operation_aborted) {
      co_return;
    }
    if (error) {
      pause.expires_after(kAcceptPause);
      co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
      continue;
    }
    const bool accepted = open_connections_ < options_.max_tcp_connections;
    answering_.count_connection(accepted);
    if (!accepted) {
      continue;  // closed here
    }
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    auto connection = std::make_shared<Connection>(std::move(socket), answering_, open_connections_,
                                                   options_.tcp_idle_timeout);
    asio::co_spawn(acceptor_.get_executor(), connection->run(connection), asio::detached);
  }
}

}  // namespace hikae::dns
