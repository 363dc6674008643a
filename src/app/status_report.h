#pragma once

#include "app/region_duty.h"
#include "app/state_store.h"
#include "app/status_messages.h"
#include "control/frontend.h"

namespace hikae::app {

// Answers `hikae status` and `hikae events` from what this server knows. Lives on the control
// thread.
class StatusReport {
 public:
  struct Parts {
    const control::Frontend& frontend;
    const RegionDuty& duty;
    StateStore& store;
  };

  explicit StatusReport(Parts parts) : parts_(parts) {}

  // Where this server answers, once it does.
  void set_api(std::string api) { api_ = std::move(api); }

  control::Awaitable<StatusAnswer> status();
  EventsAnswer events(const HostRequest& request) const;

 private:
  control::Awaitable<void> add_servers(StatusAnswer& out);
  void add_caches(StatusAnswer& out) const;

  Parts parts_;
  std::string api_;
};

}  // namespace hikae::app
