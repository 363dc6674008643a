#include "adapters/agent_rpc/channel.h"

#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/ssl/verify_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <fmt/format.h>

#include "base/strings.h"
#include "codec/agent/frame.h"
#include "net/lookup.h"

namespace hikae::agent_rpc {
namespace {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;
using control::Awaitable;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr char kPath[] = "/agent";
constexpr Duration kFarewell = std::chrono::seconds(1);
// A buffer that once held a large message is given back.
constexpr std::size_t kKeptBuffer = 256 * 1024;

}  // namespace

std::optional<net::Peer> parse_server(std::string_view text) {
  constexpr std::string_view kScheme = "https://";
  constexpr std::size_t kMaxHostBytes = 253;
  if (text.starts_with(kScheme)) {
    text.remove_prefix(kScheme.size());
  }
  net::Peer out{{}, kDefaultPort};
  const auto colon = text.rfind(':');
  out.host = to_lower(text.substr(0, colon));
  if (colon != std::string_view::npos) {
    const auto port = parse_integer(text.substr(colon + 1));
    if (!port || *port < 1 || *port > 65535) {
      return std::nullopt;
    }
    out.port = std::uint16_t(*port);
  }
  const bool clean =
      out.host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-_") == std::string::npos;
  return clean && !out.host.empty() && out.host.size() <= kMaxHostBytes ? std::optional(out)
                                                                        : std::nullopt;
}

// The static coroutines take their owner by value, so it lives as long as they do. A deadline's
// handler closes the socket, which ends whatever waits on it.
class Channel::Impl : public std::enable_shared_from_this<Impl> {
 public:
  using Self = std::shared_ptr<Impl>;

  Impl(tcp::socket socket, TlsContext tls, std::optional<net::Peer> server)
      : server_(std::move(server)),
        tls_(std::move(tls)),
        timer_(socket.get_executor()),
        lookup_(std::make_shared<net::Lookup>(socket.get_executor())),
        stream_(std::move(socket), *tls_) {}

  static Awaitable<Status> open(Self self, Duration timeout) {
    if (self->server_) {
      co_return co_await connect(self, timeout);
    }
    co_return co_await accept(self, timeout);
  }

  static Awaitable<Status> connect(Self self, Duration timeout) {
    const net::Peer server = *self->server_;
    const auto addresses = co_await net::Lookup::run(self->lookup_, server, timeout);
    if (!addresses) {
      co_return tl::unexpected(addresses.error());
    }
    if (self->closed_) {
      co_return fail(ErrorCode::kUnavailable, "the connection was closed");
    }
    self->start_timer(timeout);
    const auto [connected, endpoint] =
        co_await asio::async_connect(self->socket(), *addresses, kAwait);
    if (connected || self->expired_) {
      co_return self->failure("cannot be reached", connected);
    }
    self->set_options();
    const auto [secured] =
        co_await self->tls().async_handshake(asio::ssl::stream_base::client, kAwait);
    if (secured || self->expired_) {
      co_return self->failure("TLS", secured);
    }
    const std::string host = server.str();
    const auto [opened] = co_await self->stream_.async_handshake(host, kPath, kAwait);
    if (opened || self->expired_) {
      co_return self->failure("is no server of agents", opened);
    }
    self->peer_ = peer_identity(self->tls().native_handle());
    self->timer_.cancel();
    co_return Status();
  }

  static Awaitable<Status> accept(Self self, Duration timeout) {
    self->start_timer(timeout);
    self->set_options();
    self->tls().set_verify_callback([raw = self.get()](bool good, asio::ssl::verify_context& at) {
      raw->note_verdict(good, at.native_handle());
      return good;
    });
    const auto [secured] =
        co_await self->tls().async_handshake(asio::ssl::stream_base::server, kAwait);
    if (secured || self->expired_) {
      co_return self->failure("TLS", secured);
    }
    self->peer_ = peer_identity(self->tls().native_handle());
    const auto [opened] = co_await self->stream_.async_accept(kAwait);
    if (opened || self->expired_) {
      co_return self->failure("no WebSocket", opened);
    }
    self->timer_.cancel();
    co_return Status();
  }

  static Awaitable<Result<std::string>> read(Self self) {
    const auto [error, size] = co_await self->stream_.async_read(self->buffer_, kAwait);
    if (error) {
      co_return self->failure("read", error);
    }
    std::string text = boost::beast::buffers_to_string(self->buffer_.data());
    self->buffer_.consume(self->buffer_.size());
    if (self->buffer_.capacity() > kKeptBuffer) {
      self->buffer_.shrink_to_fit();
    }
    co_return text;
  }

  static Awaitable<Status> write(Self self, std::string text) {
    const auto out = asio::buffer(text);
    const auto [error, size] = co_await self->stream_.async_write(out, kAwait);
    if (error) {
      co_return self->failure("write", error);
    }
    co_return Status();
  }

  static Awaitable<void> finish(Self self) {
    self->start_timer(kFarewell);
    const websocket::close_reason reason(websocket::close_code::normal);
    co_await self->stream_.async_close(reason, kAwait);
    self->close();
  }

  void close() {
    closed_ = true;
    timer_.cancel();
    lookup_->give_up();
    error_code ignored;
    socket().close(ignored);
  }

  void allow_bytes(std::size_t most) { stream_.read_message_max(most); }
  const std::optional<PeerIdentity>& peer() const { return peer_; }

 private:
  using Tls = asio::ssl::stream<tcp::socket>;

  Tls& tls() { return stream_.next_layer(); }
  tcp::socket& socket() { return stream_.next_layer().next_layer(); }

  void set_options() {
    error_code ignored;
    socket().set_option(tcp::no_delay(true), ignored);
    stream_.read_message_max(codec::agent::kMaxGreetingBytes);
    stream_.auto_fragment(false);
    stream_.text(true);
  }

  void start_timer(Duration timeout) {
    timer_.expires_after(timeout);
    timer_.async_wait([weak = weak_from_this()](const error_code& error) {
      const auto self = weak.lock();
      if (!error && self != nullptr) {
        self->expired_ = true;
        self->close();
      }
    });
  }

  void note_verdict(bool good, X509_STORE_CTX* at) {
    if (!good && distrust_.empty()) {
      distrust_ = X509_verify_cert_error_string(X509_STORE_CTX_get_error(at));
      X509* certificate = X509_STORE_CTX_get_current_cert(at);
      const std::string name = certificate == nullptr ? "" : net::common_name(certificate);
      distrust_ = fmt::format("the certificate of \"{}\" is not accepted: {}", name, distrust_);
    }
  }

  tl::unexpected<Error> failure(std::string_view what, const error_code& error) {
    close();
    if (expired_) {
      return fail(ErrorCode::kTimeout, "no answer in time");
    }
    if (!distrust_.empty()) {
      return fail(ErrorCode::kDenied, distrust_);
    }
    if (error == websocket::error::message_too_big || error == websocket::error::buffer_overflow) {
      return fail(ErrorCode::kInvalid, "a message is larger than allowed");
    }
    if (error == websocket::error::closed || error == asio::error::eof ||
        error == asio::error::connection_reset || error == asio::ssl::error::stream_truncated) {
      return fail(ErrorCode::kUnavailable, "the connection was closed");
    }
    const bool from_tls = error.category() == asio::error::get_ssl_category();
    return fail(from_tls ? ErrorCode::kDenied : ErrorCode::kUnavailable,
                fmt::format("{}: {}", from_tls ? "TLS" : what, error.message()));
  }

  const std::optional<net::Peer> server_;  // nullopt: it came to us
  TlsContext tls_;
  asio::steady_timer timer_;
  std::shared_ptr<net::Lookup> lookup_;
  websocket::stream<Tls> stream_;
  boost::beast::flat_buffer buffer_;
  std::optional<PeerIdentity> peer_;
  std::string distrust_;  // why the other end's certificate was refused
  bool expired_ = false;
  bool closed_ = false;
};

Channel::Channel(asio::any_io_executor executor, net::Peer server, TlsContext tls)
    : impl_(std::make_shared<Impl>(tcp::socket(executor), std::move(tls), std::move(server))) {}

Channel::Channel(tcp::socket socket, TlsContext tls)
    : impl_(std::make_shared<Impl>(std::move(socket), std::move(tls), std::nullopt)) {}

Channel::~Channel() {
  impl_->close();
}

Awaitable<Status> Channel::open(Duration timeout) {
  return Impl::open(impl_, timeout);
}

Awaitable<Result<std::string>> Channel::read() {
  return Impl::read(impl_);
}
Awaitable<Status> Channel::write(std::string text) {
  return Impl::write(impl_, std::move(text));
}
Awaitable<void> Channel::finish() {
  return Impl::finish(impl_);
}
void Channel::close() {
  impl_->close();
}
void Channel::allow_bytes(std::size_t most) {
  impl_->allow_bytes(most);
}
const std::optional<PeerIdentity>& Channel::peer() const {
  return impl_->peer();
}

}  // namespace hikae::agent_rpc
