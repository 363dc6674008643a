// check_store() of doctor_checks.h.
#include <fmt/format.h>

#include "app/doctor_checks.h"
#include "app/store_session.h"

namespace hikae::app {

std::vector<Finding> check_store(const ServeConfig& config) {
  if (!config.etcd) {
    return {};
  }
  auto session = StoreSession::open(config);
  if (!session) {
    return {Finding{Finding::Level::kFail, "store", session.error().message, ""}};
  }
  const auto state = (*session)->load();
  if (!state) {
    return {Finding{Finding::Level::kFail, "store", state.error().message,
                    "start etcd, or correct --store and the options of etcd"}};
  }
  const bool empty = state->revision() == core::Revision(0);
  return {Finding{Finding::Level::kOk, "store",
                  fmt::format("{} answers; {}", (*session)->place(),
                              empty ? std::string("it holds no region yet")
                                    : fmt::format("region {} at revision {}", state->region().name,
                                                  state->revision().value())),
                  ""}};
}

}  // namespace hikae::app
