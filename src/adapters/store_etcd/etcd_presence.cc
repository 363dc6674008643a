#include "adapters/store_etcd/etcd_presence.h"

#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "base/check.h"

namespace hikae::etcd {
namespace {

using control::Awaitable;

constexpr std::int64_t kLeaseSeconds = 15;
constexpr Duration kRenewEvery = std::chrono::seconds(4);
constexpr Duration kTimeout = std::chrono::seconds(2);
constexpr Duration kLastTimeout = std::chrono::seconds(1);

}  // namespace

EtcdPresence::EtcdPresence(boost::asio::any_io_executor executor, EtcdClient& client,
                           control::Clock& clock, std::string server)
    : client_(client),
      clock_(clock),
      layout_(client.prefix()),
      server_(std::move(server)),
      woken_(executor),
      task_(std::move(executor)) {}

void EtcdPresence::start(std::string api) {
  api_ = std::move(api);
  task_.start(run(), [](std::exception_ptr thrown) { HIKAE_CHECK(thrown == nullptr); });
}

Awaitable<void> EtcdPresence::stop() {
  stopping_ = true;
  woken_.raise();
  co_await task_.over();
  const std::int64_t lease = std::exchange(lease_, 0);
  if (lease != 0) {
    // When this fails the lease runs out by itself.
    co_await client_.revoke(lease, kLastTimeout);
  }
}

Awaitable<void> EtcdPresence::run() {
  using namespace boost::asio::experimental::awaitable_operators;
  while (!stopping_) {
    co_await renew();
    if (stopping_) {
      co_return;
    }
    auto time = clock_.sleep_for(kRenewEvery);
    auto end = woken_.wait();
    co_await (std::move(time) || std::move(end));
  }
}

// What fails is tried again the next time.
Awaitable<void> EtcdPresence::renew() {
  if (lease_ != 0) {
    const auto renewed = co_await client_.keep_alive(lease_, kTimeout);
    const bool gone =
        renewed ? renewed->ttl_seconds <= 0 : renewed.error().code == ErrorCode::kNotFound;
    lease_ = gone ? 0 : lease_;
    co_return;
  }
  const auto lease = co_await client_.grant(kLeaseSeconds, kTimeout);
  if (!lease) {
    co_return;
  }
  TxnRequest request;
  request.success = {Operation::put(layout_.servers() + server_, api_)};
  request.success.front().lease = lease->id;
  const auto put = co_await client_.txn(std::move(request), kTimeout);
  lease_ = put ? lease->id : 0;
}

Awaitable<Result<PresentServers>> EtcdPresence::list() {
  PresentServers out;
  RangeRequest servers;
  servers.key = layout_.servers();
  servers.range_end = end_of_prefix(layout_.servers());
  const auto present = co_await client_.range(std::move(servers), kTimeout);
  if (!present) {
    co_return tl::unexpected(present.error());
  }
  for (const KeyValue& pair : present->pairs) {
    out.servers.push_back({pair.key.substr(layout_.servers().size()), pair.value});
  }
  RangeRequest leader;
  leader.key = layout_.leader();
  const auto leads = co_await client_.range(std::move(leader), kTimeout);
  if (!leads) {
    co_return tl::unexpected(leads.error());
  }
  if (!leads->pairs.empty()) {
    const KeyValue& pair = leads->pairs.front();
    out.leader = pair.value.substr(0, pair.value.rfind(kLeaseInLeader));
    out.term = pair.create_revision;
  }
  co_return out;
}

}  // namespace hikae::etcd
