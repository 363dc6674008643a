#include "adapters/store_etcd/etcd_leadership.h"

#include <algorithm>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

namespace hikae::etcd {
namespace {

using control::Awaitable;
using control::LeaderTerm;

// After a leader's death nobody decides for this long. Shorter, and a busy etcd would change
// leaders for nothing.
constexpr std::int64_t kLeaseSeconds = 5;
constexpr Duration kMargin = std::chrono::milliseconds(500);
constexpr Duration kRenewEvery = std::chrono::milliseconds(1200);
constexpr Duration kRenewPause = std::chrono::milliseconds(200);
constexpr Duration kLookEvery = std::chrono::milliseconds(200);
constexpr Duration kTimeout = std::chrono::seconds(3);
constexpr Duration kResignTimeout = std::chrono::seconds(1);

// From the moment at which the lease was asked for: etcd counts from a later one.
Duration belief(std::int64_t ttl_seconds) {
  return std::chrono::seconds(ttl_seconds) - kMargin;
}

}  // namespace

EtcdLeadership::EtcdLeadership(boost::asio::any_io_executor executor, EtcdClient& client,
                               control::Clock& clock, std::string server)
    : client_(client),
      clock_(clock),
      layout_(client.prefix()),
      server_(std::move(server)),
      woken_(executor) {}

void EtcdLeadership::stop() {
  stopped_ = true;
  woken_.raise();
}

Awaitable<void> EtcdLeadership::sleep(Duration time) {
  using namespace boost::asio::experimental::awaitable_operators;
  if (!stopped_) {
    auto woken = woken_.wait();
    auto slept = clock_.sleep_for(time);
    co_await (std::move(woken) || std::move(slept));
  }
}

Awaitable<Result<LeaderTerm>> EtcdLeadership::campaign() {
  while (!stopped_) {
    const auto led = co_await somebody_leads();
    if (!led) {
      co_return tl::unexpected(led.error());
    }
    if (!*led) {
      const auto term = co_await take_key();
      if (!term || term->value() != 0) {
        co_return term;
      }
    }
    co_await sleep(kLookEvery);
  }
  co_return fail(ErrorCode::kUnavailable, "the campaign was stopped");
}

Awaitable<Result<bool>> EtcdLeadership::somebody_leads() {
  RangeRequest request;
  request.key = layout_.leader();
  const auto answer = co_await client_.range(std::move(request), kTimeout);
  if (!answer) {
    co_return tl::unexpected(answer.error());
  }
  co_return !answer->pairs.empty();
}

Awaitable<Result<LeaderTerm>> EtcdLeadership::take_key() {
  const Monotonic asked = clock_.monotonic();
  const auto lease = co_await client_.grant(kLeaseSeconds, kTimeout);
  if (!lease) {
    co_return tl::unexpected(lease.error());
  }
  lease_ = lease->id;
  const Monotonic until = asked + belief(lease->ttl_seconds);
  TxnRequest request;
  const std::string mine = fmt::format("{}{}{}", server_, kLeaseInLeader, lease_);
  request.compare = {{Compare::What::kCreateRevision, layout_.leader(), 0}};
  request.success = {Operation::put(layout_.leader(), mine)};
  request.success.front().lease = lease_;
  request.failure = {Operation::get(layout_.leader())};
  const auto answer = co_await client_.txn(std::move(request), kTimeout);
  if (answer && answer->succeeded) {
    until_ = until;
    term_ = LeaderTerm(answer->revision);
    co_return term_;
  }
  // The first attempt may have got through, and this was the second.
  if (answer && !answer->pairs.empty() && answer->pairs.front().value == mine) {
    until_ = until;
    term_ = LeaderTerm(answer->pairs.front().create_revision);
    co_return term_;
  }
  co_await resign();
  if (!answer) {
    co_return tl::unexpected(answer.error());
  }
  co_return LeaderTerm();
}

Awaitable<void> EtcdLeadership::hold() {
  while (!stopped_ && is_certain()) {
    const Duration rest = until_ - clock_.monotonic();
    const Duration pause = std::min(kRenewEvery, rest);
    co_await sleep(pause);
    while (!stopped_ && is_certain()) {
      const Monotonic before = until_;
      const bool ours = co_await renew();
      if (!ours) {
        co_return;
      }
      if (until_ != before) {
        break;
      }
      co_await sleep(kRenewPause);
    }
  }
}

// False when the term is over for certain.
Awaitable<bool> EtcdLeadership::renew() {
  const Monotonic asked = clock_.monotonic();
  const Duration rest = until_ - asked;
  const auto renewed = co_await client_.keep_alive(lease_, rest);
  if (!renewed) {
    co_return renewed.error().code != ErrorCode::kNotFound;
  }
  if (renewed->ttl_seconds <= 0) {
    co_return false;
  }
  RangeRequest request;
  request.key = layout_.leader();
  const Duration left = until_ - clock_.monotonic();
  const auto key = co_await client_.range(std::move(request), left);
  if (key && (key->pairs.empty() || key->pairs.front().create_revision != term_.value())) {
    co_return false;  // somebody removed it by hand
  }
  if (key && is_certain()) {
    until_ = asked + belief(renewed->ttl_seconds);
  }
  co_return true;
}

Awaitable<void> EtcdLeadership::resign() {
  until_ = Monotonic();
  const std::int64_t lease = std::exchange(lease_, 0);
  if (lease != 0) {
    // When this fails the lease runs out by itself.
    co_await client_.revoke(lease, kResignTimeout);
  }
}

}  // namespace hikae::etcd
