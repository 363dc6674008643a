#include "adapters/agent_rpc/agent_client.h"

#include <algorithm>
#include <exception>
#include <map>
#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "base/check.h"
#include "control/wake_signal.h"
#include "core/failover/lease.h"

namespace hikae::agent_rpc {
namespace {

using codec::agent::encode;
using codec::agent::Frame;
using codec::agent::Join;
using codec::agent::Joined;
using codec::agent::Lease;
using codec::agent::MessageType;
using codec::agent::Ping;
using codec::agent::Pong;
using codec::agent::Refusal;
using codec::agent::Renew;
using codec::agent::Renewed;
using codec::agent::Welcome;
using control::Awaitable;
using std::chrono::milliseconds;

constexpr int kMostDoublings = 16;
constexpr Duration kRenewAgain = std::chrono::minutes(1);
// Whatever a server says, the connection is watched at least, and at most, so often.
constexpr std::uint32_t kLeastPingMs = 20;
constexpr std::uint32_t kMostPingMs = 60'000;

// The other end's answer to the first message: a `T`, or kDenied with its refusal.
template <class T>
Result<T> answer_of(std::string_view text, codec::agent::ProtocolVersion ours,
                    const net::Peer& server) {
  const auto frame = Frame::parse(text);
  if (!frame) {
    return tl::unexpected(frame.error());
  }
  if (frame->type() == MessageType::kRefusal) {
    const auto refusal = frame->body<Refusal>();
    if (!refusal) {
      return tl::unexpected(refusal.error());
    }
    // In the words of this side, whose operator reads it.
    const auto conflict = codec::agent::version_conflict(
        ours, refusal->protocol, fmt::format("the server at {}", server.str()), "");
    if (refusal->code == codec::agent::kRefusedProtocol && !conflict.empty()) {
      return fail(ErrorCode::kDenied, conflict);
    }
    const bool may_pass = refusal->code == codec::agent::kRefusedBusy;
    return fail(may_pass ? ErrorCode::kUnavailable : ErrorCode::kDenied, refusal->message);
  }
  auto answer = frame->body<T>();
  if (!answer) {
    return answer;
  }
  std::string software;
  if constexpr (requires { answer->software; }) {
    software = answer->software;
  }
  const auto conflict = codec::agent::version_conflict(
      ours, answer->protocol, fmt::format("the server at {}", server.str()), software);
  return conflict.empty() ? answer : fail(ErrorCode::kDenied, conflict);
}

}  // namespace

Awaitable<Result<Joined>> ask_to_join(net::Peer server, TlsContext tls, Join request,
                                      Duration timeout) {
  const auto executor = co_await boost::asio::this_coro::executor;
  const auto channel = std::make_shared<Channel>(executor, server, std::move(tls));
  const Status opened = co_await channel->open(timeout);
  if (!opened) {
    // A server that is not believed is no refusal: another one may be the right one.
    co_return fail(ErrorCode::kUnavailable, opened.error().message);
  }
  boost::asio::steady_timer deadline(executor, timeout);
  deadline.async_wait([channel](const boost::system::error_code& error) {
    if (!error) {
      channel->close();
    }
  });
  const auto ours = request.protocol;
  std::string text = encode(request);
  const Status sent = co_await channel->write(std::move(text));
  if (!sent) {
    co_return tl::unexpected(sent.error());
  }
  const auto answer = co_await channel->read();
  if (!answer) {
    co_return fail(ErrorCode::kUnavailable, answer.error().message);
  }
  co_return answer_of<Joined>(*answer, ours, server);
}

class AgentClient::Impl {
 public:
  Impl(boost::asio::any_io_executor executor, Options options, Events events, control::Clock& clock,
       Random& random, control::Log& log)
      : executor_(executor),
        options_(std::move(options)),
        events_(std::move(events)),
        clock_(clock),
        random_(random),
        log_(log),
        out_(executor),
        tick_(executor),
        stopped_(executor),
        finished_(executor) {
    HIKAE_CHECK(!options_.servers.empty());
    next_server_ = random_.below(options_.servers.size());
  }
  ~Impl() { HIKAE_CHECK(coroutines_ == 0); }

  void use(TlsContext tls, Instant renew_at, Instant not_after) {
    tls_ = std::move(tls);
    renew_at_ = renew_at;
    not_after_ = not_after;
  }

  void start() {
    HIKAE_CHECK(tls_ != nullptr);
    begin(run());
  }

  Awaitable<void> stop() {
    stopping_ = true;
    hang_up();
    stopped_.raise();
    while (coroutines_ > 0) {
      co_await finished_.wait();
    }
  }

  void report(core::HostReport report) {
    newest_ = std::move(report);
    unsent_ = true;
    out_.raise();
  }

  bool is_connected() const { return welcomed_; }

  void ask_lease(Monotonic asked) {
    if (channel_ != nullptr && welcomed_) {
      lease_ = Lease{asked, answered_, true};
      out_.raise();
    }
  }
  Duration lease_length() const { return lease_length_; }

 private:
  void begin(Awaitable<void> coroutine);
  Awaitable<void> run();
  Awaitable<void> talk(net::Peer server);
  Awaitable<Status> introduce(net::Peer server);
  Awaitable<void> read();
  Status take(const std::string& text);
  void take_assignment(ReceivedAssignment received);
  Awaitable<void> write();
  std::string next_text();
  Awaitable<void> watch();
  void ask_for_certificate();
  void hang_up();
  void tell(const net::Peer& server, const std::string& why);
  Duration pause_after(int failures);

  boost::asio::any_io_executor executor_;
  const Options options_;
  const Events events_;
  control::Clock& clock_;
  Random& random_;
  control::Log& log_;
  TlsContext tls_;
  Instant renew_at_;
  Instant not_after_;
  std::size_t next_server_ = 0;
  std::map<std::string, std::string> told_;  // of every server, so that nothing is said twice

  // Of the connection that there is:
  std::shared_ptr<Channel> channel_;
  Duration ping_every_{};
  Duration silence_{};
  Monotonic heard_;
  std::optional<Monotonic> writing_since_;
  Monotonic renew_again_;
  std::string why_over_;
  bool welcomed_ = false;
  bool over_ = false;

  std::optional<core::HostReport> newest_;
  bool unsent_ = false;
  std::optional<Ping> ping_;
  std::optional<Pong> pong_;
  std::optional<Renew> renew_;
  std::optional<Lease> lease_;
  Monotonic answered_;  // the newest question for a lease that was, on this connection
  Duration lease_length_{};
  std::uint64_t pings_ = 0;

  control::WakeSignal out_;
  control::WakeSignal tick_;
  control::WakeSignal stopped_;
  control::WakeSignal finished_;
  int coroutines_ = 0;
  bool stopping_ = false;
};

void AgentClient::Impl::begin(Awaitable<void> coroutine) {
  ++coroutines_;
  boost::asio::co_spawn(executor_, std::move(coroutine), [this](std::exception_ptr thrown) {
    HIKAE_CHECK(thrown == nullptr);
    --coroutines_;
    finished_.raise();
  });
}

Awaitable<void> AgentClient::Impl::run() {
  using namespace boost::asio::experimental::awaitable_operators;
  int failures = 0;
  while (!stopping_) {
    const net::Peer server = options_.servers[next_server_];
    next_server_ = (next_server_ + 1) % options_.servers.size();
    co_await talk(server);
    failures = std::exchange(welcomed_, false) ? 0 : failures + 1;
    if (!stopping_) {
      auto time = clock_.sleep_for(pause_after(failures));
      auto end = stopped_.wait();
      co_await (std::move(time) || std::move(end));
    }
  }
}

// One connection, from the first byte to the last.
Awaitable<void> AgentClient::Impl::talk(net::Peer server) {
  channel_ = std::make_shared<Channel>(executor_, server, tls_);
  why_over_.clear();
  over_ = false;
  const Status introduced = co_await introduce(server);
  if (!introduced) {
    tell(server, introduced.error().message);
    channel_->close();
    co_return;
  }
  told_.erase(server.str());
  unsent_ = newest_.has_value();
  const int others = coroutines_;
  begin(write());
  begin(watch());
  co_await read();
  hang_up();
  while (coroutines_ > others) {
    co_await finished_.wait();
  }
  if (!stopping_) {
    tell(server, why_over_);
  }
}

Awaitable<Status> AgentClient::Impl::introduce(net::Peer server) {
  if (clock_.now() >= not_after_) {
    co_return fail(ErrorCode::kDenied,
                   fmt::format("its certificate ended at {}; start the agent with a new token",
                               to_iso8601(not_after_)));
  }
  const auto channel = channel_;
  const Status opened = co_await channel->open(options_.connect);
  if (!opened) {
    co_return opened;
  }
  boost::asio::steady_timer deadline(executor_, options_.connect);
  deadline.async_wait([channel](const boost::system::error_code& error) {
    if (!error) {
      channel->close();
    }
  });
  std::string text = encode(options_.hello);
  const Status sent = co_await channel->write(std::move(text));
  if (!sent) {
    co_return sent;
  }
  const auto answer = co_await channel->read();
  if (!answer) {
    co_return tl::unexpected(answer.error());
  }
  const auto welcome = answer_of<Welcome>(*answer, options_.hello.protocol, server);
  if (!welcome) {
    co_return tl::unexpected(welcome.error());
  }
  channel->allow_bytes(codec::agent::kMaxMessageBytes);
  ping_every_ = milliseconds(std::clamp(welcome->ping_every_ms, kLeastPingMs, kMostPingMs));
  silence_ = std::max<Duration>(milliseconds(welcome->silence_ms), 2 * ping_every_);
  lease_length_ = std::min<Duration>(milliseconds(welcome->lease_ms), core::kLongestLease);
  heard_ = clock_.monotonic();
  answered_ = {};
  welcomed_ = true;
  log_.info(fmt::format("host {} is connected to {} of region {} (hikae {})", options_.host,
                        server.str(), welcome->region, welcome->software));
  if (welcome->removed) {
    events_.removed(welcome->region);
  }
  co_return Status();
}

Awaitable<void> AgentClient::Impl::read() {
  while (true) {
    const auto text = co_await channel_->read();
    if (!text) {
      why_over_ = why_over_.empty() ? text.error().message : why_over_;
      co_return;
    }
    heard_ = clock_.monotonic();
    const Status taken = take(*text);
    if (!taken) {
      why_over_ = taken.error().message;
      co_return;
    }
  }
}

Status AgentClient::Impl::take(const std::string& text) {
  const auto frame = Frame::parse(text);
  if (!frame) {
    return tl::unexpected(frame.error());
  }
  switch (frame->type()) {
    case MessageType::kAssignment: {
      auto message = frame->body<AssignmentMessage>();
      if (!message) {
        return tl::unexpected(message.error());
      }
      events_.assigned(from_message(std::move(*message)));
      return {};
    }
    case MessageType::kPing: {
      const auto ping = frame->body<Ping>();
      if (!ping) {
        return tl::unexpected(ping.error());
      }
      pong_ = Pong{ping->number, ping->sent, clock_.now()};
      out_.raise();
      return {};
    }
    case MessageType::kLeased: {
      const auto leased = frame->body<LeasedMessage>();
      if (!leased) {
        return tl::unexpected(leased.error());
      }
      const auto grant = from_message(*leased);
      answered_ = std::max(answered_, grant.asked);
      events_.leased(grant);
      return {};
    }
    case MessageType::kRenewed: {
      auto renewed = frame->body<Renewed>();
      if (!renewed) {
        return tl::unexpected(renewed.error());
      }
      events_.renewed(std::move(renewed->certificate));
      return {};
    }
    case MessageType::kPong:
    case MessageType::kUnknown:
      return {};
    default:
      return fail(ErrorCode::kInvalid,
                  fmt::format("it sent a {}, which is not its to send", name_of(frame->type())));
  }
}

Awaitable<void> AgentClient::Impl::write() {
  while (!over_) {
    std::string text = next_text();
    if (text.empty()) {
      co_await out_.wait();
      continue;
    }
    writing_since_ = clock_.monotonic();
    const Status written = co_await channel_->write(std::move(text));
    writing_since_.reset();
    if (!written) {
      hang_up();
    }
  }
}

std::string AgentClient::Impl::next_text() {
  if (lease_) {
    return encode(*std::exchange(lease_, std::nullopt));
  }
  if (pong_) {
    return encode(*std::exchange(pong_, std::nullopt));
  }
  if (std::exchange(unsent_, false)) {
    return encode(to_message(*newest_, clock_.monotonic()));
  }
  if (ping_) {
    return encode(*std::exchange(ping_, std::nullopt));
  }
  if (renew_) {
    return encode(*std::exchange(renew_, std::nullopt));
  }
  return "";
}

Awaitable<void> AgentClient::Impl::watch() {
  using namespace boost::asio::experimental::awaitable_operators;
  while (!over_) {
    const Monotonic now = clock_.monotonic();
    if (now - heard_ > silence_ || (writing_since_ && now - *writing_since_ > silence_)) {
      why_over_ = "nothing was heard of it";
      hang_up();
      co_return;
    }
    ping_ = Ping{++pings_, now};
    ask_for_certificate();
    out_.raise();
    auto time = clock_.sleep_for(ping_every_);
    auto woken = tick_.wait();
    co_await (std::move(time) || std::move(woken));
  }
}

void AgentClient::Impl::ask_for_certificate() {
  if (clock_.now() < renew_at_ || clock_.monotonic() < renew_again_) {
    return;
  }
  renew_again_ = clock_.monotonic() + kRenewAgain;
  auto request = events_.certificate_request();
  if (!request) {
    log_.error(fmt::format("the certificate of host {} cannot be renewed: {}", options_.host,
                           request.error().message));
    return;
  }
  renew_ = Renew{std::move(*request)};
}

// Ends the connection and what runs on it.
void AgentClient::Impl::hang_up() {
  if (channel_ == nullptr) {
    return;
  }
  over_ = true;
  channel_->close();
  out_.raise();
  tick_.raise();
}

void AgentClient::Impl::tell(const net::Peer& server, const std::string& why) {
  std::string& told = told_[server.str()];
  if (stopping_ || why == told) {
    return;
  }
  log_.warn(
      fmt::format("host {} is not connected to {}: {}; the engines go on, and the agent tries "
                  "again",
                  options_.host, server.str(), why));
  told = why;
}

// Grows with every round of all servers; at random, so that agents do not all come at once.
// The servers of a round are asked one right after another: the last one may be the one that is up.
Duration AgentClient::Impl::pause_after(int failures) {
  const int servers = int(options_.servers.size());
  const int doublings = failures % servers == 0 ? std::min(failures / servers, kMostDoublings) : 0;
  const Duration longest =
      std::min(options_.first_pause * (1 << doublings), options_.longest_pause);
  return Duration(longest.count() / 2 + std::int64_t(random_.below(longest.count() / 2 + 1)));
}

AgentClient::AgentClient(boost::asio::any_io_executor executor, Options options, Events events,
                         control::Clock& clock, Random& random, control::Log& log)
    : impl_(std::make_unique<Impl>(std::move(executor), std::move(options), std::move(events),
                                   clock, random, log)) {}

AgentClient::~AgentClient() = default;

void AgentClient::use(TlsContext tls, Instant renew_at, Instant not_after) {
  impl_->use(std::move(tls), renew_at, not_after);
}
void AgentClient::start() {
  impl_->start();
}
Awaitable<void> AgentClient::stop() {
  return impl_->stop();
}
void AgentClient::report(core::HostReport report) {
  impl_->report(std::move(report));
}
void AgentClient::ask_lease(Monotonic asked) {
  impl_->ask_lease(asked);
}
Duration AgentClient::lease_length() const {
  return impl_->lease_length();
}
bool AgentClient::is_connected() const {
  return impl_->is_connected();
}

}  // namespace hikae::agent_rpc
