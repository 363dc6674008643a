#include "net/http_client.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <fmt/format.h>

#include "base/strings.h"

namespace hikae::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using Parser = beast::http::response_parser<beast::http::string_body>;

std::string serialize(const HttpRequest& request, const Peer& peer) {
  std::string out = fmt::format(
      "{} {} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n", request.method, request.target,
      request.host.empty() ? peer.str() : request.host, request.body.size());
  for (const auto& [name, value] : request.headers) {
    out += fmt::format("{}: {}\r\n", name, value);
  }
  out += "\r\n";
  out += request.body;
  return out;
}

// Whatever went wrong behind a request that has left: it may have been carried out.
Error may_have_happened(Error error) {
  if (error.code == ErrorCode::kUnavailable) {
    error.code = ErrorCode::kTimeout;
  }
  return error;
}

}  // namespace

std::string HttpResponse::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (equals_ignoring_case(key, name)) {
      return value;
    }
  }
  return "";
}

class HttpClient::Impl {
 public:
  explicit Impl(Connection connection) : connection_(std::move(connection)) {}

  static asio::awaitable<Result<HttpResponse>> send(std::shared_ptr<Impl> self, HttpRequest request,
                                                    Duration timeout) {
    const Status sent = co_await self->start(std::move(request), kMaxResponseBytes, timeout);
    if (!sent) {
      co_return tl::unexpected(sent.error());
    }
    while (!self->parser_->is_done()) {
      const Status fed = co_await self->feed();
      if (!fed) {
        co_return tl::unexpected(may_have_happened(fed.error()));
      }
    }
    co_return self->take_response();
  }

  static asio::awaitable<Result<HttpResponse>> begin(std::shared_ptr<Impl> self,
                                                     HttpRequest request, Duration timeout) {
    const Status sent = co_await self->start(std::move(request), boost::none, timeout);
    if (!sent) {
      co_return tl::unexpected(sent.error());
    }
    while (!self->parser_->is_header_done()) {
      const Status fed = co_await self->feed();
      if (!fed) {
        co_return tl::unexpected(may_have_happened(fed.error()));
      }
    }
    if (self->parser_->is_done()) {
      co_return self->take_response();
    }
    self->connection_.expires_never();
    co_return self->take_head();
  }

  static asio::awaitable<Result<std::string>> more(std::shared_ptr<Impl> self, Duration timeout) {
    std::string& body = self->parser_->get().body();
    self->connection_.expires_after(timeout);
    while (body.empty()) {
      if (self->parser_->is_done()) {
        self->connection_.close();
        co_return fail(ErrorCode::kNotFound, "the answer has ended");
      }
      const Status fed = co_await self->feed();
      if (!fed) {
        co_return tl::unexpected(fed.error());
      }
    }
    self->connection_.expires_never();
    co_return std::exchange(body, std::string());
  }

  Connection& connection() { return connection_; }

 private:
  asio::awaitable<Status> start(HttpRequest request, boost::optional<std::uint64_t> body_limit,
                                Duration timeout) {
    connection_.expires_after(timeout);
    parser_.emplace();
    parser_->eager(true);
    parser_->header_limit(std::uint32_t(kMaxResponseHeaderBytes));
    parser_->body_limit(body_limit);
    std::string bytes = serialize(request, connection_.peer());
    Status written = co_await connection_.write(std::move(bytes));
    if (!written) {
      // Half a request is none.
      written.error().code = ErrorCode::kUnavailable;
    }
    co_return written;
  }

  // Reads once and gives the parser what came.
  asio::awaitable<Status> feed() {
    auto bytes = co_await connection_.read();
    if (!bytes && parser_->need_eof() && parser_->got_some() && !parser_->is_done() &&
        bytes.error().code == ErrorCode::kUnavailable) {
      error_code error;
      parser_->put_eof(error);
      co_return error ? malformed(error) : Status();
    }
    if (!bytes) {
      co_return tl::unexpected(bytes.error());
    }
    waiting_ += *bytes;
    error_code error;
    const std::size_t used = parser_->put(asio::buffer(waiting_), error);
    waiting_.erase(0, used);
    if (error && error != beast::http::error::need_more) {
      co_return malformed(error);
    }
    co_return Status();
  }

  Status malformed(const error_code& error) {
    const std::string peer = connection_.peer().str();
    connection_.close();
    if (error == beast::http::error::body_limit) {
      return fail(ErrorCode::kExhausted,
                  fmt::format("{}: the answer is larger than {} bytes", peer, kMaxResponseBytes));
    }
    return fail(ErrorCode::kInvalid,
                fmt::format("{}: the answer is not HTTP: {}", peer, error.message()));
  }

  HttpResponse take_head() {
    HttpResponse head;
    head.status = int(parser_->get().result_int());
    for (const auto& field : parser_->get()) {
      head.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    }
    return head;
  }

  HttpResponse take_response() {
    connection_.expires_never();
    HttpResponse response = take_head();
    response.body = std::move(parser_->get().body());
    if (!parser_->get().keep_alive() || !waiting_.empty()) {
      connection_.close();
    }
    return response;
  }

  Connection connection_;
  std::optional<Parser> parser_;
  std::string waiting_;  // read, not parsed yet
};

HttpClient::HttpClient(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpClient::HttpClient(HttpClient&&) noexcept = default;

HttpClient& HttpClient::operator=(HttpClient&& other) noexcept {
  if (this != &other) {
    close();
    impl_ = std::move(other.impl_);
  }
  return *this;
}

HttpClient::~HttpClient() {
  close();
}

asio::awaitable<Result<HttpClient>> HttpClient::open(Peer peer, TlsContext tls, Duration timeout) {
  auto connection = co_await Connection::open(std::move(peer), std::move(tls), timeout);
  if (!connection) {
    co_return tl::unexpected(connection.error());
  }
  co_return HttpClient(std::make_shared<Impl>(std::move(*connection)));
}

asio::awaitable<Result<HttpResponse>> HttpClient::send(HttpRequest request, Duration timeout) {
  return Impl::send(impl_, std::move(request), timeout);
}

asio::awaitable<Result<HttpResponse>> HttpClient::begin(HttpRequest request, Duration timeout) {
  return Impl::begin(impl_, std::move(request), timeout);
}

asio::awaitable<Result<std::string>> HttpClient::more(Duration timeout) {
  return Impl::more(impl_, timeout);
}

void HttpClient::close() {
  if (impl_) {
    impl_->connection().close();
  }
}

bool HttpClient::is_open() const {
  return impl_ && impl_->connection().is_open();
}

const Peer& HttpClient::peer() const {
  return impl_->connection().peer();
}

}  // namespace hikae::net
