#include "adapters/store_etcd/etcd_client.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

namespace hikae::etcd {
namespace {

namespace asio = boost::asio;
using control::Awaitable;
using std::chrono::steady_clock;

constexpr int kOk = 200;
constexpr std::size_t kMaxIdle = 4;
// A member on the same network accepts at once; a lost one is left soon.
constexpr Duration kConnectTimeout = std::chrono::seconds(1);
// A healthy member answers within milliseconds; one without a leader keeps silent for seconds.
constexpr Duration kAttemptTimeout = std::chrono::seconds(2);
// After all members refused.
constexpr Duration kRoundPause = std::chrono::milliseconds(100);
// A line of a watch: what etcd tells at once when it has to catch up.
constexpr std::size_t kMaxLineBytes = 16 * 1024 * 1024;

Awaitable<void> pause(Duration time) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, time);
  constexpr auto token = asio::as_tuple(asio::use_awaitable);
  co_await timer.async_wait(token);
}

bool asks_for_authentication(const Refusal& refusal) {
  return refusal.code == Refusal::kUnauthenticated ||
         refusal.message.find("auth store is old") != std::string::npos ||
         refusal.message.find("user name is empty") != std::string::npos;
}

bool is_full(const Refusal& refusal) {
  return refusal.message.find("space exceeded") != std::string::npos;
}

ErrorCode code_of(const Refusal& refusal) {
  switch (refusal.code) {
    case Refusal::kInvalidArgument:
    case Refusal::kFailedPrecondition:
      return refusal.message.find("user name is empty") != std::string::npos ? ErrorCode::kDenied
                                                                             : ErrorCode::kInvalid;
    case Refusal::kNotFound:
      return ErrorCode::kNotFound;
    case Refusal::kPermissionDenied:
    case Refusal::kUnauthenticated:
      return ErrorCode::kDenied;
    case Refusal::kResourceExhausted:
      return ErrorCode::kExhausted;
    case Refusal::kOutOfRange:
      return ErrorCode::kConflict;
    default:
      return ErrorCode::kInternal;
  }
}

std::string_view advice(const Refusal& refusal) {
  if (is_full(refusal)) {
    return "; compact and defragment it, then `etcdctl alarm disarm`";
  }
  switch (code_of(refusal)) {
    case ErrorCode::kDenied:
      return "; check the user, the password and the role's permission for the prefix";
    case ErrorCode::kExhausted:
      return "; see etcd's --max-request-bytes";
    default:
      return refusal.message.find("too many operations") != std::string::npos
                 ? "; start etcd with --max-txn-ops=128 or more"
                 : "";
  }
}

Error refused(const net::Peer& peer, const Refusal& refusal) {
  return Error{code_of(refusal),
               fmt::format("etcd {} refused: {}{}", peer.str(), refusal.message, advice(refusal))};
}

}  // namespace

// One request on its way through the members.
struct EtcdClient::Call {
  std::string path;
  std::string body;
  steady_clock::time_point deadline;
  bool maybe = false;  // some member may have carried it out
  int authentications = 0;
  Error last{ErrorCode::kUnavailable, "no time to ask"};
  Answer answer;
  bool answered = false;

  Duration left() const {
    return std::chrono::duration_cast<Duration>(deadline - steady_clock::now());
  }
};

std::string EtcdClient::endpoints() const {
  std::string out;
  for (const net::Peer& peer : options_.endpoints) {
    out += (out.empty() ? "" : ",") + peer.str();
  }
  return out;
}

void EtcdClient::forget_token() {
  token_.clear();
  open_to_all_ = false;
  idle_.clear();
}

Awaitable<Result<EtcdClient::Answer>> EtcdClient::call(std::string path, std::string body,
                                                       Duration timeout) {
  Call call;
  call.path = std::move(path);
  call.body = std::move(body);
  call.deadline = steady_clock::now() + timeout;
  const std::size_t members = options_.endpoints.size();
  for (std::size_t tries = 1; call.left() > Duration(); ++tries) {
    const bool over = co_await attempt(call);
    if (over) {
      break;
    }
    if (tries % members == 0) {
      // Another round that is cut short would only hide the reason of this one.
      if (call.left() <= 2 * kRoundPause) {
        break;
      }
      co_await pause(kRoundPause);
    }
  }
  if (call.answered) {
    co_return std::move(call.answer);
  }
  // What a member may have done, no later refusal takes back.
  if (call.maybe) {
    call.last.code = ErrorCode::kTimeout;
  }
  co_return tl::unexpected(std::move(call.last));
}

Awaitable<bool> EtcdClient::attempt(Call& call) {
  const net::Peer peer = current();
  const std::size_t asked = current_;
  auto client = take_idle(peer);
  const bool reused = client.has_value();
  // A kept connection may have been closed by the member long ago; a fresh one tells more. And
  // another coroutine may have gone on already.
  const auto try_next = [&] { return !reused && asked == current_; };
  if (!reused) {
    const Duration time = std::min(kConnectTimeout, call.left());
    auto opened = co_await open(peer, time);
    if (!opened) {
      co_return not_asked(call, opened.error(), try_next());
    }
    client.emplace(std::move(*opened));
  }
  const Duration time = std::min(kAttemptTimeout, std::max(call.left(), kRoundPause));
  const Status known = co_await authenticate(*client, time);
  if (!known) {
    co_return not_asked(call, known.error(), try_next());
  }
  net::HttpRequest message = request(call.path, call.body);
  auto response = co_await client->send(std::move(message), time);
  if (response) {
    keep_idle(std::move(*client));
    co_return judge(call, peer, *response);
  }
  call.last = response.error();
  call.last.code = ErrorCode::kUnavailable;
  call.maybe = call.maybe || response.error().code != ErrorCode::kUnavailable;
  if (try_next()) {
    advance();
  }
  co_return false;
}

// True when no other member would take the request either.
bool EtcdClient::not_asked(Call& call, Error error, bool try_next) {
  const bool denied = error.code == ErrorCode::kDenied;
  error.code = denied ? ErrorCode::kDenied : ErrorCode::kUnavailable;
  call.last = std::move(error);
  if (try_next) {
    advance();
  }
  return denied;
}

// Takes the answer, or decides whether another attempt may help.
bool EtcdClient::judge(Call& call, const net::Peer& peer, const net::HttpResponse& response) {
  if (response.status == kOk) {
    call.answer = Answer{response.body, call.maybe};
    call.answered = true;
    return true;
  }
  Refusal refusal = read_refusal(response.body);
  if (refusal.message.empty()) {
    refusal.message = fmt::format("HTTP status {}", response.status);
  }
  call.last = refused(peer, refusal);
  if (asks_for_authentication(refusal) && !options_.user.empty() && call.authentications++ < 2) {
    forget_token();
    return false;
  }
  // No leader, a change of leaders, a member that is too slow: it may have got through all the
  // same.
  const bool full = refusal.code == Refusal::kResourceExhausted;
  if (!full && (refusal.code == Refusal::kUnavailable ||
                refusal.code == Refusal::kDeadlineExceeded || response.status >= 500)) {
    call.last.code = ErrorCode::kUnavailable;
    call.maybe = call.maybe || refusal.message.find("no leader") == std::string::npos;
    advance();
    return false;
  }
  return true;
}

Awaitable<Result<net::HttpClient>> EtcdClient::open(net::Peer peer, Duration timeout) {
  auto client = co_await net::HttpClient::open(std::move(peer), options_.tls, timeout);
  if (!client) {
    // Another member may have a better certificate; only a wrong password is the same everywhere.
    client.error().code = ErrorCode::kUnavailable;
  }
  co_return client;
}

Awaitable<Status> EtcdClient::authenticate(net::HttpClient& client, Duration timeout) {
  if (options_.user.empty() || !token_.empty() || open_to_all_) {
    co_return Status();
  }
  net::HttpRequest message =
      request("/v3/auth/authenticate", authenticate_json(options_.user, options_.password));
  const auto response = co_await client.send(std::move(message), timeout);
  if (!response) {
    co_return tl::unexpected(response.error());
  }
  const Refusal refusal = response->status == kOk ? Refusal() : read_refusal(response->body);
  // Without authentication in etcd there is nothing to prove.
  if (refusal.code == Refusal::kFailedPrecondition) {
    open_to_all_ = true;
    co_return Status();
  }
  if (refusal.code == Refusal::kInvalidArgument || refusal.code == Refusal::kUnauthenticated) {
    co_return fail(ErrorCode::kDenied,
                   fmt::format("etcd {} does not take user {} with that password",
                               client.peer().str(), options_.user));
  }
  if (response->status != kOk) {
    co_return fail(ErrorCode::kUnavailable, fmt::format("etcd {} cannot authenticate now: {}",
                                                        client.peer().str(), refusal.message));
  }
  auto token = read_token(response->body);
  if (!token) {
    co_return tl::unexpected(token.error());
  }
  token_ = std::move(*token);
  co_return Status();
}

std::optional<net::HttpClient> EtcdClient::take_idle(const net::Peer& peer) {
  while (!idle_.empty()) {
    net::HttpClient client = std::move(idle_.back());
    idle_.pop_back();
    if (client.is_open() && client.peer() == peer) {
      return client;
    }
  }
  return std::nullopt;
}

void EtcdClient::keep_idle(net::HttpClient client) {
  if (client.is_open() && idle_.size() < kMaxIdle) {
    idle_.push_back(std::move(client));
  }
}

net::HttpRequest EtcdClient::request(std::string path, std::string body) const {
  net::HttpRequest message;
  message.target = std::move(path);
  message.body = std::move(body);
  message.headers.emplace_back("Content-Type", "application/json");
  if (!token_.empty()) {
    message.headers.emplace_back("Authorization", token_);
  }
  return message;
}

Awaitable<Result<RangeAnswer>> EtcdClient::range(RangeRequest request, Duration timeout) {
  const auto answer = co_await call("/v3/kv/range", to_json(request), timeout);
  if (!answer) {
    Error error = answer.error();
    // Reading changes nothing.
    error.code = error.code == ErrorCode::kTimeout ? ErrorCode::kUnavailable : error.code;
    co_return tl::unexpected(std::move(error));
  }
  co_return read_range(answer->body);
}

Awaitable<Result<TxnAnswer>> EtcdClient::txn(TxnRequest request, Duration timeout) {
  const auto answer = co_await call("/v3/kv/txn", to_json(request), timeout);
  if (!answer) {
    co_return tl::unexpected(answer.error());
  }
  auto read = read_txn(answer->body);
  if (read) {
    read->repeated = answer->repeated;
  }
  co_return read;
}

Awaitable<Result<LeaseAnswer>> EtcdClient::grant(std::int64_t ttl_seconds, Duration timeout) {
  const auto answer = co_await call("/v3/lease/grant", grant_json(ttl_seconds), timeout);
  if (!answer) {
    co_return tl::unexpected(answer.error());
  }
  co_return read_grant(answer->body);
}

Awaitable<Result<LeaseAnswer>> EtcdClient::keep_alive(std::int64_t lease, Duration timeout) {
  const auto answer = co_await call("/v3/lease/keepalive", lease_json(lease), timeout);
  if (!answer) {
    co_return tl::unexpected(answer.error());
  }
  co_return read_keep_alive(answer->body);
}

Awaitable<Status> EtcdClient::revoke(std::int64_t lease, Duration timeout) {
  const auto answer = co_await call("/v3/lease/revoke", lease_json(lease), timeout);
  if (!answer) {
    co_return tl::unexpected(answer.error());
  }
  co_return Status();
}

Awaitable<Result<std::unique_ptr<EtcdWatchStream>>> EtcdClient::watch(std::size_t member,
                                                                      std::string prefix,
                                                                      std::uint64_t from) {
  const net::Peer peer = options_.endpoints[member % members()];
  auto client = co_await open(peer, kConnectTimeout);
  if (!client) {
    co_return tl::unexpected(client.error());
  }
  const Status known = co_await authenticate(*client, kAttemptTimeout);
  if (!known) {
    co_return tl::unexpected(known.error());
  }
  const std::string end = end_of_prefix(prefix);
  net::HttpRequest message = request("/v3/watch", watch_json(prefix, end, from));
  const auto head = co_await client->begin(std::move(message), kAttemptTimeout);
  if (!head || head->status != kOk) {
    forget_token();
    co_return fail(ErrorCode::kUnavailable,
                   head ? fmt::format("etcd {} refused to be watched: HTTP status {}", peer.str(),
                                      head->status)
                        : head.error().message);
  }
  co_return std::make_unique<EtcdWatchStream>(std::move(*client));
}

Awaitable<Result<WatchAnswer>> EtcdWatchStream::next(Duration timeout) {
  std::size_t looked_at = 0;
  for (;;) {
    const std::size_t end = waiting_.find('\n', looked_at);
    if (end != std::string::npos) {
      const std::string line = waiting_.substr(0, end);
      waiting_.erase(0, end + 1);
      co_return read_watch(line);
    }
    looked_at = waiting_.size();
    if (looked_at > kMaxLineBytes) {
      client_.close();
      co_return fail(ErrorCode::kExhausted, "etcd tells more changes at once than are taken");
    }
    auto more = co_await client_.more(timeout);
    if (!more) {
      co_return tl::unexpected(more.error());
    }
    waiting_ += *more;
  }
}

}  // namespace hikae::etcd
