#include "net/connection.h"

#include <array>
#include <netinet/tcp.h>
#include <optional>
#include <sys/socket.h>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <openssl/ssl.h>

#include "net/lookup.h"

namespace hikae::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kReadBytes = 32 * 1024;
// A peer that vanished without a word is noticed after about half a minute, also while nothing is
// to be said.
constexpr int kProbeAfterSeconds = 15;
constexpr int kProbeEverySeconds = 5;
constexpr int kProbes = 3;

void keep_alive(tcp::socket& socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  const auto set = [&socket](int option, int value) {
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, option, &value, sizeof value);
  };
  set(TCP_KEEPIDLE, kProbeAfterSeconds);
  set(TCP_KEEPINTVL, kProbeEverySeconds);
  set(TCP_KEEPCNT, kProbes);
}

}  // namespace

std::string Peer::str() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

// Shared by the Connection and its coroutine in flight. The deadline's handler closes the socket,
// which ends whatever waits on it; a flag tells the coroutine why.
class Connection::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::any_io_executor executor, Peer peer, TlsContext tls)
      : peer_(std::move(peer)), tls_(std::move(tls)), socket_(executor), timer_(executor) {}

  // The static coroutines take their owner by value, so it lives as long as they do.
  static asio::awaitable<Status> open(std::shared_ptr<Impl> self, Duration timeout) {
    auto lookup = std::make_shared<Lookup>(self->socket_.get_executor());
    const auto endpoints = co_await Lookup::run(std::move(lookup), self->peer_, timeout);
    if (!endpoints) {
      co_return tl::unexpected(endpoints.error());
    }
    self->start_timer(timeout);
    const auto [error, endpoint] = co_await asio::async_connect(self->socket_, *endpoints, kAwait);
    if (error || self->expired_) {
      co_return self->failure(ErrorCode::kUnavailable, "cannot be reached", error);
    }
    keep_alive(self->socket_);
    Status secured;
    if (self->tls_ != nullptr) {
      secured = co_await secure(self);
    }
    self->cancel_timer();
    co_return secured;
  }

  static asio::awaitable<Status> write(std::shared_ptr<Impl> self, std::string bytes) {
    const auto out = asio::buffer(bytes);
    error_code error;
    if (self->stream_) {
      std::tie(error, std::ignore) = co_await asio::async_write(*self->stream_, out, kAwait);
    } else {
      std::tie(error, std::ignore) = co_await asio::async_write(self->socket_, out, kAwait);
    }
    // When all of it is out, a deadline that passed just then is the next read's business.
    if (error) {
      co_return self->failure(self->late(), "took no request", error);
    }
    co_return Status();
  }

  static asio::awaitable<Result<std::string>> read(std::shared_ptr<Impl> self) {
    const auto room = asio::buffer(self->incoming_);
    error_code error;
    std::size_t count = 0;
    if (self->stream_) {
      std::tie(error, count) = co_await self->stream_->async_read_some(room, kAwait);
    } else {
      std::tie(error, count) = co_await self->socket_.async_read_some(room, kAwait);
    }
    if (error || self->expired_) {
      co_return self->failure(self->late(), "gave no answer", error);
    }
    co_return std::string(self->incoming_.data(), count);
  }

  void start_timer(Duration timeout) {
    timer_.expires_after(timeout);
    deadline_set_ = true;
    timer_.async_wait([weak = weak_from_this()](const error_code& error) {
      const auto self = weak.lock();
      // A handler that was already queued when its deadline was cancelled or moved says nothing.
      if (error || !self || !self->deadline_set_ ||
          self->timer_.expiry() > asio::steady_timer::clock_type::now()) {
        return;
      }
      self->expired_ = true;
      self->close();
    });
  }

  void cancel_timer() {
    deadline_set_ = false;
    timer_.cancel();
  }

  void close() {
    error_code ignored;
    socket_.close(ignored);
  }
  bool is_open() const { return socket_.is_open(); }
  const Peer& peer() const { return peer_; }

 private:
  static asio::awaitable<Status> secure(std::shared_ptr<Impl> self) {
    self->stream_.emplace(self->socket_, *self->tls_);
    auto& stream = *self->stream_;
    error_code error;
    stream.set_verify_callback(asio::ssl::host_name_verification(self->peer_.host), error);
    error_code not_numeric;
    asio::ip::make_address(self->peer_.host, not_numeric);
    if (not_numeric) {
      SSL_set_tlsext_host_name(stream.native_handle(), self->peer_.host.c_str());
    }
    std::tie(error) = co_await stream.async_handshake(asio::ssl::stream_base::client, kAwait);
    if (self->expired_) {
      co_return self->failure(ErrorCode::kUnavailable, "does not finish the TLS handshake", error);
    }
    if (error) {
      self->close();
      co_return fail(ErrorCode::kDenied,
                     fmt::format("{}: no TLS: {}; is the CA file the right one?", self->peer_.str(),
                                 error.message()));
    }
    co_return Status();
  }

  ErrorCode late() const { return expired_ ? ErrorCode::kTimeout : ErrorCode::kUnavailable; }

  tl::unexpected<Error> failure(ErrorCode code, std::string_view what, const error_code& error) {
    cancel_timer();
    close();
    return fail(code, fmt::format("{} {}: {}", peer_.str(), what,
                                  expired_ ? "the time is over" : error.message()));
  }

  const Peer peer_;
  const TlsContext tls_;
  tcp::socket socket_;
  std::optional<asio::ssl::stream<tcp::socket&>> stream_;
  asio::steady_timer timer_;
  std::array<char, kReadBytes> incoming_;
  bool expired_ = false;
  bool deadline_set_ = false;
};

Connection::Connection(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::Connection(Connection&&) noexcept = default;

Connection& Connection::operator=(Connection&& other) noexcept {
  if (this != &other) {
    close();
    impl_ = std::move(other.impl_);
  }
  return *this;
}

Connection::~Connection() {
  close();
}

asio::awaitable<Result<Connection>> Connection::open(Peer peer, TlsContext tls, Duration timeout) {
  const auto executor = co_await asio::this_coro::executor;
  Connection connection(std::make_shared<Impl>(executor, std::move(peer), std::move(tls)));
  const Status opened = co_await Impl::open(connection.impl_, timeout);
  if (!opened) {
    co_return tl::unexpected(opened.error());
  }
  co_return Result<Connection>(std::move(connection));
}

void Connection::expires_after(Duration timeout) {
  impl_->start_timer(timeout);
}

void Connection::expires_never() {
  impl_->cancel_timer();
}

asio::awaitable<Status> Connection::write(std::string bytes) {
  return Impl::write(impl_, std::move(bytes));
}

asio::awaitable<Result<std::string>> Connection::read() {
  return Impl::read(impl_);
}

void Connection::close() {
  if (impl_) {
    impl_->close();
  }
}

bool Connection::is_open() const {
  return impl_ && impl_->is_open();
}

const Peer& Connection::peer() const {
  return impl_->peer();
}

}  // namespace hikae::net
