#include "adapters/resp_client/connection.h"

#include <array>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "adapters/resp_client/socket_address.h"
#include "codec/resp/command.h"
#include "codec/resp/parser.h"

namespace hikae::resp {

namespace asio = boost::asio;

namespace {

using Commands = std::vector<std::vector<std::string>>;

constexpr std::size_t kReadBytes = 16 * 1024;

std::string name_of(const Commands& commands) {
  return commands.empty() || commands[0].empty() ? "nothing" : commands[0][0];
}

asio::awaitable<Result<Value>> first_of(asio::awaitable<Result<std::vector<Value>>> exchange) {
  auto replies = co_await std::move(exchange);
  if (!replies) {
    co_return tl::unexpected(replies.error());
  }
  co_return std::move(replies->front());
}

}  // namespace

Target Target::at_path(std::string path) {
  Target target;
  target.unix_path = std::move(path);
  return target;
}

Target Target::at_address(Ipv4 address, std::uint16_t port) {
  Target target;
  target.address = address;
  target.port = port;
  return target;
}

std::string Target::str() const {
  return unix_path.empty() ? fmt::format("{}:{}", address.str(), port) : unix_path;
}

// Shared by the Connection and by its coroutine in flight. The deadline's handler closes the
// socket, which ends whatever waits on it; a flag tells the coroutine why.
class Connection::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::any_io_executor executor, std::string target)
      : socket_(executor), timer_(executor), target_(std::move(target)) {}

  // The static coroutines take their owner by value, so it lives as long as they do.
  static asio::awaitable<Status> open(std::shared_ptr<Impl> self, Target target) {
    const auto address = SocketAddress::of(target);
    if (!address) {
      co_return tl::unexpected(address.error());
    }
    const auto [error] = co_await self->socket_.async_connect(address->endpoint(),
                                                              asio::as_tuple(asio::use_awaitable));
    if (error || self->expired_) {
      co_return self->failure("connect", error.message());
    }
    if (target.unix_path.empty()) {
      boost::system::error_code ignored;
      self->socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    }
    if (target.credentials) {
      co_return co_await authenticate(self, std::move(*target.credentials));
    }
    co_return Status();
  }

  static asio::awaitable<Result<std::vector<Value>>> exchange(std::shared_ptr<Impl> self,
                                                              Commands commands) {
    std::string request;
    for (const auto& arguments : commands) {
      codec::resp::append_command(request, arguments);
    }
    const std::string name = name_of(commands);
    const auto bytes = asio::buffer(request);
    const auto [error, count] =
        co_await asio::async_write(self->socket_, bytes, asio::as_tuple(asio::use_awaitable));
    if (error || self->expired_) {
      co_return self->failure(name, error.message());
    }
    co_return co_await read_replies(self, commands.size(), name);
  }

  static asio::awaitable<Result<std::vector<Value>>> run(std::shared_ptr<Impl> self,
                                                         Commands commands, Duration timeout) {
    if (!self || !self->socket_.is_open()) {
      const std::string target = self ? self->target_ : "the server";
      co_return fail(ErrorCode::kUnavailable,
                     fmt::format("the connection to {} is closed", target));
    }
    if (self->busy_) {
      co_return fail(ErrorCode::kConflict, fmt::format("a command is already in flight on the "
                                                       "connection to {}",
                                                       self->target_));
    }
    self->busy_ = true;
    self->start_timer(timeout);
    auto replies = co_await exchange(self, std::move(commands));
    self->cancel_timer();
    self->busy_ = false;
    co_return replies;
  }

  void start_timer(Duration timeout) {
    timer_.expires_after(timeout);
    timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
      const auto self = weak.lock();
      // A handler that was already queued when its deadline was cancelled or moved says nothing.
      if (error || !self || self->timer_.expiry() > asio::steady_timer::clock_type::now() ||
          !self->deadline_set_) {
        return;
      }
      self->expired_ = true;
      self->close();
    });
    deadline_set_ = true;
  }

  void cancel_timer() {
    deadline_set_ = false;
    timer_.cancel();
  }

  void close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

  bool is_open() const { return socket_.is_open(); }

 private:
  static asio::awaitable<Status> authenticate(std::shared_ptr<Impl> self, Credentials credentials) {
    Commands commands;
    commands.push_back({"AUTH", std::move(credentials.user), std::move(credentials.password)});
    const auto replies = co_await exchange(self, std::move(commands));
    if (!replies) {
      co_return tl::unexpected(replies.error());
    }
    if (!replies->front().is_ok()) {
      self->close();
      co_return fail(ErrorCode::kDenied, fmt::format("{} refused AUTH: {}", self->target_,
                                                     replies->front().error_code()));
    }
    co_return Status();
  }

  static asio::awaitable<Result<std::vector<Value>>> read_replies(std::shared_ptr<Impl> self,
                                                                  std::size_t wanted,
                                                                  std::string name) {
    std::vector<Value> replies;
    while (true) {
      const Status taken = self->take_replies(replies, wanted);
      if (!taken) {
        self->close();
        co_return tl::unexpected(taken.error());
      }
      if (replies.size() == wanted) {
        co_return replies;
      }
      const auto room = asio::buffer(self->incoming_);
      const auto [error, count] =
          co_await self->socket_.async_read_some(room, asio::as_tuple(asio::use_awaitable));
      if (error || self->expired_) {
        co_return self->failure(name, error.message());
      }
      self->parser_.feed(std::string_view(self->incoming_.data(), count));
    }
  }

  Status take_replies(std::vector<Value>& replies, std::size_t wanted) {
    while (replies.size() < wanted) {
      auto next = parser_.next();
      if (!next) {
        return fail(next.error().code, fmt::format("{}: {}", target_, next.error().message));
      }
      if (!*next) {
        return {};
      }
      if ((*next)->type != Value::Type::kPush) {
        replies.push_back(std::move(**next));
      }
    }
    return {};
  }

  tl::unexpected<Error> failure(const std::string& what, const std::string& reason) {
    close();
    if (expired_) {
      return fail(ErrorCode::kTimeout, fmt::format("{}: no answer to {} in time", target_, what));
    }
    return fail(ErrorCode::kUnavailable, fmt::format("{}: {} failed: {}", target_, what, reason));
  }

  asio::generic::stream_protocol::socket socket_;
  asio::steady_timer timer_;
  const std::string target_;
  codec::resp::Parser parser_;
  std::array<char, kReadBytes> incoming_;
  bool busy_ = false;
  bool expired_ = false;
  bool deadline_set_ = false;
};

Connection::Connection(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Connection& Connection::operator=(Connection&& other) {
  if (this != &other) {
    close();
    impl_ = std::move(other.impl_);
  }
  return *this;
}

Connection::~Connection() {
  close();
}

asio::awaitable<Result<Connection>> Connection::connect(Target target, Duration timeout) {
  const auto executor = co_await asio::this_coro::executor;
  Connection connection(std::make_shared<Impl>(executor, target.str()));
  const std::shared_ptr<Impl> impl = connection.impl_;
  impl->start_timer(timeout);
  const Status opened = co_await Impl::open(impl, std::move(target));
  impl->cancel_timer();
  if (!opened) {
    co_return tl::unexpected(opened.error());
  }
  co_return Result<Connection>(std::move(connection));
}

asio::awaitable<Result<Value>> Connection::command(std::vector<std::string> arguments,
                                                   Duration timeout) {
  Commands commands;
  commands.push_back(std::move(arguments));
  return first_of(Impl::run(impl_, std::move(commands), timeout));
}

asio::awaitable<Result<std::vector<Value>>> Connection::pipeline(Commands commands,
                                                                 Duration timeout) {
  return Impl::run(impl_, std::move(commands), timeout);
}

void Connection::close() {
  if (impl_) {
    impl_->close();
  }
}

bool Connection::is_open() const {
  return impl_ && impl_->is_open();
}

}  // namespace hikae::resp
