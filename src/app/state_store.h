#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "adapters/store_etcd/etcd_leadership.h"
#include "adapters/store_etcd/etcd_presence.h"
#include "adapters/store_etcd/etcd_store.h"
#include "adapters/store_etcd/etcd_watch.h"
#include "adapters/store_sqlite/sqlite_store.h"
#include "app/config.h"
#include "base/random.h"
#include "control/ports.h"

namespace hikae::app {

// Where the configuration keeps the state: a SQLite file, or etcd with what several servers need
// beside it.
class StateStore {
 public:
  struct Parts {
    boost::asio::any_io_executor executor;
    Random& random;
    control::Clock& clock;
    std::string sqlite_path;
    std::string server;                 // who we are, for people who ask who leads
    std::function<void()> on_thread{};  // called once in the thread that writes to SQLite
  };

  // Connects to nothing yet. kInvalid: a file named by the configuration cannot be used.
  static Result<std::unique_ptr<StateStore>> open(const ServeConfig& config, Parts parts);

  control::Store& store();
  // nullptr where this server is the only one.
  control::StateWatch* watch();
  control::Leadership* leadership();
  etcd::EtcdPresence* presence();
  // Fills the store with the state, which keeps its revision. kConflict: it holds one already.
  control::Awaitable<Status> restore(core::State state);
  // For messages: the file, or the members of etcd.
  std::string place() const { return place_; }
  // What this server is called among those of the region.
  const std::string& server() const { return server_; }

 private:
  struct Etcd {
    Etcd(etcd::EtcdOptions options, const Parts& parts);
    etcd::EtcdClient client;
    etcd::EtcdStore store;
    etcd::EtcdWatch watch;
    etcd::EtcdLeadership leadership;
    etcd::EtcdPresence presence;
  };

  std::string place_;
  std::string server_;
  std::optional<adapters::SqliteStore> sqlite_;
  std::optional<Etcd> etcd_;
};

}  // namespace hikae::app
