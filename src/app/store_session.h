#pragma once

#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>

#include "adapters/system/real_clock.h"
#include "adapters/system/system_random.h"
#include "app/config.h"
#include "app/state_store.h"

namespace hikae::app {

// The store of a configuration for single operations, without a server around it. Each call runs
// to its end.
class StoreSession {
 public:
  // As StateStore::open(). Call load() only where a SQLite file exists: it would be made.
  static Result<std::unique_ptr<StoreSession>> open(const ServeConfig& config);

  Result<core::State> load();
  Status restore(core::State state);
  std::string place() const { return state_->place(); }

 private:
  boost::asio::io_context context_{1};
  adapters::SystemRandom random_;
  adapters::RealClock clock_;
  std::unique_ptr<StateStore> state_;
};

}  // namespace hikae::app
