#pragma once

#include <cstdint>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "adapters/store_etcd/etcd_client.h"
#include "adapters/store_etcd/layout.h"
#include "control/ports.h"
#include "control/wake_signal.h"

namespace hikae::etcd {

// Leads while it holds the key `<prefix>/leader`, which is bound to a lease: etcd removes it when
// the lease is not renewed in time, so when this process is stopped, cut off or dead. The term is
// the revision of etcd's store at which the key was made.
//
// The server stops believing in its term a while before etcd does, by the clock of this machine. A
// process that was stopped in between is late with that, so its commits compare the key.
class EtcdLeadership final : public control::Leadership {
 public:
  // `server` tells people who leads.
  EtcdLeadership(boost::asio::any_io_executor executor, EtcdClient& client, control::Clock& clock,
                 std::string server);

  control::Awaitable<Result<control::LeaderTerm>> campaign() override;
  control::Awaitable<void> hold() override;
  bool is_certain() const override { return clock_.monotonic() < until_; }
  control::Awaitable<void> resign() override;
  void stop() override;

 private:
  control::Awaitable<Result<bool>> somebody_leads();
  // A term of 0: somebody else was first.
  control::Awaitable<Result<control::LeaderTerm>> take_key();
  control::Awaitable<bool> renew();
  control::Awaitable<void> sleep(Duration time);

  EtcdClient& client_;
  control::Clock& clock_;
  Layout layout_;
  std::string server_;
  control::WakeSignal woken_;
  std::int64_t lease_ = 0;
  control::LeaderTerm term_;
  Monotonic until_;  // believes in the term up to then
  bool stopped_ = false;
};

}  // namespace hikae::etcd
