#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "adapters/store_etcd/etcd_client.h"
#include "adapters/store_etcd/layout.h"
#include "control/background_task.h"
#include "control/wake_signal.h"

namespace hikae::etcd {

// The servers of a region, for people: nothing is decided by it.
struct PresentServer {
  std::string name;
  std::string api;  // where it answers
};
struct PresentServers {
  std::vector<PresentServer> servers;
  std::string leader;      // a name; empty: nobody leads
  std::uint64_t term = 0;  // in which it does
};

// Keeps this server's own entry for as long as it runs, and reads those of all. One that crashed is
// in the list for up to 15 seconds more.
class EtcdPresence {
 public:
  EtcdPresence(boost::asio::any_io_executor executor, EtcdClient& client, control::Clock& clock,
               std::string server);

  void start(std::string api);
  // Takes the entry back; fine without start().
  control::Awaitable<void> stop();

  control::Awaitable<Result<PresentServers>> list();

 private:
  control::Awaitable<void> run();
  control::Awaitable<void> renew();

  EtcdClient& client_;
  control::Clock& clock_;
  Layout layout_;
  std::string server_;
  std::string api_;
  std::int64_t lease_ = 0;
  bool stopping_ = false;
  control::WakeSignal woken_;
  control::BackgroundTask task_;
};

}  // namespace hikae::etcd
