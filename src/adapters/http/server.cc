#include "adapters/http/server.h"

#include <cerrno>
#include <cstring>
#include <ctime>
#include <list>
#include <optional>
#include <tuple>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <fmt/format.h>

#include "base/strings.h"
#include "net/acceptor.h"

namespace hikae::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kReadChunk = 16 * 1024;
// Connections over the limit that are being told so; more than these are closed without a word.
constexpr std::size_t kMaxRefusals = 64;
// After an error the rest of the request is read and thrown away for this long and this much,
// because closing with unread input would destroy the answer on its way.
constexpr std::chrono::milliseconds kLingerTime{1000};
constexpr std::size_t kLingerBytes = 4 * 1024 * 1024;
// After a failed accept (no descriptors left) trying again at once would only burn the processor.
constexpr std::chrono::milliseconds kAcceptPause{100};
// How long stop() waits for cancelled requests to unwind.
constexpr std::chrono::milliseconds kCancelTime{1000};

using Parser = beast::http::request_parser<beast::http::string_body>;

std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[40];
  const std::size_t length = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return std::string(text, length);
}

// A line break in a value would let it add headers of its own.
void append_header(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  for (const char c : value) {
    if (static_cast<unsigned char>(c) >= 0x20 || c == '\t') {
      out += c;
    }
  }
  out += "\r\n";
}

struct Framing {
  bool keep_alive = false;
  bool old_version = false;  // HTTP/1.0, where keeping the connection must be said
  bool head = false;
};

// The whole answer in one piece of memory, for one write.
std::string serialize(const Response& response, Framing framing) {
  const auto reason =
      beast::http::obsolete_reason(beast::http::int_to_status(unsigned(response.status)));
  std::string out = fmt::format("HTTP/1.1 {} {}\r\n", response.status,
                                std::string_view(reason.data(), reason.size()));
  out.reserve(out.size() + response.body.size() + 512);
  for (const auto& [name, value] : response.headers) {
    append_header(out, name, value);
  }
  append_header(out, "Date", http_date());
  const bool may_have_body =
      response.status >= 200 && response.status != 204 && response.status != 304;
  if (may_have_body) {
    append_header(out, "Content-Length", fmt::format_int(response.body.size()).str());
  }
  if (!framing.keep_alive) {
    append_header(out, "Connection", "close");
  } else if (framing.old_version) {
    append_header(out, "Connection", "keep-alive");
  }
  out += "\r\n";
  if (may_have_body && !framing.head) {
    out += response.body;
  }
  return out;
}

struct Refusal {
  int status;
  std::string_view why;
};

// What to tell the client; nullopt when there is nobody left to tell (a timeout has closed the
// socket).
std::optional<Refusal> refusal_for(const error_code& error) {
  using beast::http::error;
  if (error == error::body_limit) {
    return Refusal{413, "the request body is too large"};
  }
  if (error == error::header_limit || error == error::buffer_overflow) {
    return Refusal{431, "the request header is too large"};
  }
  if (error.category() == make_error_code(error::bad_method).category() &&
      error != error::end_of_stream && error != error::partial_message) {
    return Refusal{400, "the request is not valid HTTP"};
  }
  return std::nullopt;
}

Request to_request(Parser& parser, const tcp::endpoint& peer) {
  auto message = parser.release();
  const auto text = [](auto view) { return std::string(view.data(), view.size()); };
  Request request;
  request.method = text(message.method_string());
  request.target = text(message.target());
  for (const auto& field : message) {
    request.headers.emplace_back(text(field.name_string()), text(field.value()));
  }
  request.body = std::move(message.body());
  request.peer = fmt::format("{}:{}", peer.address().to_string(), peer.port());
  request.peer_is_loopback = peer.address().is_loopback();
  return request;
}

// The name of the endpoint is part of what clients sign: exactly one, from version 1.1 on.
bool host_is_clear(const Parser& parser) {
  const auto hosts = parser.get().count(beast::http::field::host);
  return hosts == 1 || (hosts == 0 && parser.get().version() < 11);
}

bool expects_continue(const Parser& parser) {
  const auto value = parser.get()[beast::http::field::expect];
  return parser.get().version() >= 11 &&
         equals_ignoring_case(std::string_view(value.data(), value.size()), "100-continue");
}

}  // namespace

// Kept alive by every coroutine it has started, so that none outlives what it uses.
class Server::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& context, Limits limits, Handler handler,
       ProtocolErrorHandler on_protocol_error)
      : context_(context),
        limits_(limits),
        handler_(std::move(handler)),
        on_protocol_error_(std::move(on_protocol_error)),
        finished_(context) {}

  Result<Endpoint> listen(const std::string& address, std::uint16_t port);
  asio::awaitable<void> stop();
  void close_all();
  std::size_t connections() const { return sessions_.size(); }

 private:
  struct Session {
    Session(tcp::socket socket, tcp::endpoint from)
        : stream(std::move(socket)), peer(std::move(from)) {}
    beast::tcp_stream stream;
    tcp::endpoint peer;
    beast::flat_buffer buffer;
    asio::cancellation_signal cancel;
    bool waiting = false;  // for the first byte of a request
    bool refused = false;
  };
  using Acceptor = std::shared_ptr<tcp::acceptor>;

  asio::awaitable<void> accept_loop(Acceptor acceptor);
  void start_session(tcp::socket socket);
  void forget(const std::shared_ptr<Session>& session);
  asio::awaitable<void> serve(std::shared_ptr<Session> session);
  asio::awaitable<bool> serve_one(std::shared_ptr<Session> session);
  asio::awaitable<error_code> wait_for_request(std::shared_ptr<Session> session);
  asio::awaitable<error_code> read_request(std::shared_ptr<Session> session,
                                           std::shared_ptr<Parser> parser);
  asio::awaitable<Response> handle(Request request);
  asio::awaitable<error_code> write(std::shared_ptr<Session> session, std::string bytes);
  asio::awaitable<void> refuse(std::shared_ptr<Session> session, Refusal refusal);
  asio::awaitable<void> wait_until_finished(std::chrono::milliseconds bound);
  bool all_finished() const { return sessions_.empty() && running_acceptors_ == 0; }

  asio::io_context& context_;
  const Limits limits_;
  const Handler handler_;
  const ProtocolErrorHandler on_protocol_error_;
  std::vector<Acceptor> acceptors_;
  std::list<std::shared_ptr<Session>> sessions_;
  std::size_t refusals_ = 0;  // of sessions_
  std::size_t running_acceptors_ = 0;
  bool stopping_ = false;
  asio::steady_timer finished_;  // cancelled when the last session or acceptor has ended
};

Result<Endpoint> Server::Impl::listen(const std::string& address, std::uint16_t port) {
  error_code error;
  const auto ip = asio::ip::make_address(address, error);
  if (error) {
    return fail(ErrorCode::kInvalid,
                fmt::format("cannot listen on \"{}\": not a numeric address", address));
  }
  auto acceptor = std::make_shared<tcp::acceptor>(context_);
  const auto local = net::listen(*acceptor, tcp::endpoint(ip, port));
  if (!local) {
    return tl::unexpected(local.error());
  }
  acceptors_.push_back(acceptor);
  ++running_acceptors_;
  auto self = shared_from_this();
  auto ended = [self](const std::exception_ptr&) {
    --self->running_acceptors_;
    self->finished_.cancel();
  };
  asio::co_spawn(context_, accept_loop(acceptor), std::move(ended));
  return Endpoint{local->address().to_string(), local->port()};
}

asio::awaitable<void> Server::Impl::accept_loop(Acceptor acceptor) {
  asio::steady_timer pause(context_);
  while (!stopping_) {
    auto [error, socket] = co_await acceptor->async_accept(kAwait);
    if (stopping_ || error == asio::error::operation_aborted) {
      co_return;
    }
    if (error) {
      pause.expires_after(kAcceptPause);
      co_await pause.async_wait(kAwait);
      continue;
    }
    start_session(std::move(socket));
  }
}

void Server::Impl::start_session(tcp::socket socket) {
  error_code error;
  const tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) {
    return;  // gone already
  }
  socket.set_option(tcp::no_delay(true), error);
  auto session = std::make_shared<Session>(std::move(socket), peer);
  session->refused = sessions_.size() - refusals_ >= limits_.connections;
  if (session->refused && refusals_ >= kMaxRefusals) {
    return;
  }
  refusals_ += session->refused ? 1 : 0;
  sessions_.push_back(session);
  auto self = shared_from_this();
  // An exception can only be the cancellation by stop(): serve() lets nothing else out.
  auto ended = [self, session](const std::exception_ptr&) { self->forget(session); };
  asio::co_spawn(context_, serve(session),
                 asio::bind_cancellation_slot(session->cancel.slot(), std::move(ended)));
}

void Server::Impl::forget(const std::shared_ptr<Session>& session) {
  refusals_ -= session->refused ? 1 : 0;
  sessions_.remove(session);
  if (sessions_.empty()) {
    finished_.cancel();
  }
}

asio::awaitable<void> Server::Impl::serve(std::shared_ptr<Session> session) {
  if (session->refused) {
    const Refusal refusal{503, "too many connections"};
    co_await refuse(session, refusal);
    co_return;
  }
  bool more = true;
  while (more) {
    more = co_await serve_one(session);
  }
  error_code ignored;
  session->stream.socket().shutdown(tcp::socket::shutdown_both, ignored);
}

// One request and its answer. False when the connection is to be closed.
asio::awaitable<bool> Server::Impl::serve_one(std::shared_ptr<Session> session) {
  const error_code idle_error = co_await wait_for_request(session);
  if (idle_error) {
    co_return false;
  }
  auto parser = std::make_shared<Parser>();
  const error_code read_error = co_await read_request(session, parser);
  if (read_error) {
    if (const auto refusal = refusal_for(read_error)) {
      co_await refuse(session, *refusal);
    }
    co_return false;
  }
  if (!host_is_clear(*parser)) {
    const Refusal refusal{400, "the request must have exactly one Host header"};
    co_await refuse(session, refusal);
    co_return false;
  }
  Framing framing{.keep_alive = parser->get().keep_alive(),
                  .old_version = parser->get().version() < 11,
                  .head = parser->get().method() == beast::http::verb::head};
  Request request = to_request(*parser, session->peer);
  const Response response = co_await handle(std::move(request));
  framing.keep_alive = framing.keep_alive && !stopping_;
  std::string bytes = serialize(response, framing);
  const error_code write_error = co_await write(session, std::move(bytes));
  co_return framing.keep_alive && !write_error;
}

asio::awaitable<error_code> Server::Impl::wait_for_request(std::shared_ptr<Session> session) {
  if (session->buffer.size() > 0) {
    co_return error_code();  // pipelined behind the last request
  }
  if (stopping_) {
    co_return make_error_code(asio::error::operation_aborted);
  }
  session->waiting = true;
  session->stream.expires_after(limits_.idle);
  const auto space = session->buffer.prepare(kReadChunk);
  const auto [error, length] = co_await session->stream.async_read_some(space, kAwait);
  session->waiting = false;
  session->buffer.commit(length);
  co_return error;
}

asio::awaitable<error_code> Server::Impl::read_request(std::shared_ptr<Session> session,
                                                       std::shared_ptr<Parser> parser) {
  parser->header_limit(std::uint32_t(limits_.header_bytes));
  parser->body_limit(limits_.body_bytes);
  // One deadline for all of it, so that a byte now and then does not hold the connection.
  session->stream.expires_after(limits_.request_read);
  auto [header_error, header_length] =
      co_await beast::http::async_read_header(session->stream, session->buffer, *parser, kAwait);
  if (header_error) {
    co_return header_error;
  }
  if (expects_continue(*parser) && !parser->is_done() && session->buffer.size() == 0) {
    std::string interim = "HTTP/1.1 100 Continue\r\n\r\n";
    const auto out = asio::buffer(interim);
    auto [error, written] = co_await asio::async_write(session->stream, out, kAwait);
    if (error) {
      co_return error;
    }
  }
  auto [body_error, body_length] =
      co_await beast::http::async_read(session->stream, session->buffer, *parser, kAwait);
  co_return body_error;
}

asio::awaitable<Response> Server::Impl::handle(Request request) {
  Response response;
  try {
    response = co_await handler_(std::move(request));
    co_return response;
  } catch (const std::exception&) {
    response = on_protocol_error_(500, "the request handler failed");
  }
  co_return response;
}

asio::awaitable<error_code> Server::Impl::write(std::shared_ptr<Session> session,
                                                std::string bytes) {
  session->stream.expires_after(limits_.response_write);
  const auto out = asio::buffer(bytes);
  const auto [error, written] = co_await asio::async_write(session->stream, out, kAwait);
  co_return error;
}

asio::awaitable<void> Server::Impl::refuse(std::shared_ptr<Session> session, Refusal refusal) {
  const Response response = on_protocol_error_(refusal.status, refusal.why);
  std::string bytes = serialize(response, Framing{});
  const error_code write_error = co_await write(session, std::move(bytes));
  if (write_error) {
    co_return;
  }
  error_code ignored;
  session->stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
  session->stream.expires_after(kLingerTime);
  std::vector<char> scratch(kReadChunk);
  for (std::size_t total = 0; total < kLingerBytes && !stopping_;) {
    const auto space = asio::buffer(scratch);
    const auto [error, length] = co_await session->stream.async_read_some(space, kAwait);
    if (error) {
      co_return;
    }
    total += length;
  }
}

asio::awaitable<void> Server::Impl::stop() {
  stopping_ = true;
  error_code ignored;
  for (const Acceptor& acceptor : acceptors_) {
    acceptor->close(ignored);
  }
  for (const auto& session : sessions_) {
    if (session->waiting || session->refused) {
      session->stream.close();
    }
  }
  co_await wait_until_finished(limits_.drain);
  close_all();
  co_await wait_until_finished(kCancelTime);
}

asio::awaitable<void> Server::Impl::wait_until_finished(std::chrono::milliseconds bound) {
  const auto deadline = std::chrono::steady_clock::now() + bound;
  while (!all_finished() && std::chrono::steady_clock::now() < deadline) {
    finished_.expires_at(deadline);
    co_await finished_.async_wait(kAwait);
  }
}

void Server::Impl::close_all() {
  stopping_ = true;
  error_code ignored;
  for (const Acceptor& acceptor : acceptors_) {
    acceptor->close(ignored);
  }
  const auto sessions = sessions_;  // a session that ends removes itself
  for (const auto& session : sessions) {
    session->stream.close();
    session->cancel.emit(asio::cancellation_type::terminal);
  }
}

Server::Server(asio::io_context& context, Limits limits, Handler handler,
               ProtocolErrorHandler on_protocol_error)
    : impl_(std::make_shared<Impl>(context, limits, std::move(handler),
                                   std::move(on_protocol_error))) {}

Server::~Server() {
  impl_->close_all();
}

Result<Endpoint> Server::listen(const std::string& address, std::uint16_t port) {
  return impl_->listen(address, port);
}

asio::awaitable<void> Server::stop() {
  return impl_->stop();
}

std::size_t Server::connections() const {
  return impl_->connections();
}

}  // namespace hikae::http
