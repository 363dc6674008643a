#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/awaitable.hpp>

#include "api/fault.h"
#include "api/version.h"
#include "base/check.h"

namespace hikae::control {
class Frontend;
class SnapshotFiles;
}  // namespace hikae::control

namespace hikae::api {

// Who signed the request.
struct Caller {
  std::string access_key_id;
  std::string account_id;  // 12 digits
};

// Limits that the operator may set.
struct Quotas {
  std::size_t test_failovers_per_day = 0;  // 0: any number
};

// Where snapshots lie, and what the engines of this region can read of them.
struct SnapshotAccess {
  control::SnapshotFiles* files = nullptr;
  // The newest format of RDB that the engine which would serve this version can load; 0: unknown.
  std::function<int(std::string_view engine, std::string_view version)> newest_format = {};
};

// What a handler knows besides its input. Made by the dispatcher for one request; lives until the
// handler's coroutine has ended, so handlers may keep the reference across a co_await.
class HandlerContext {
 public:
  // `frontend` may only be nullptr in tests of the dispatcher, whose handlers do not use it.
  HandlerContext(control::Frontend* frontend, Caller caller, std::string region,
                 std::string request_id, ApiVersion version, Quotas quotas = {},
                 const SnapshotAccess* snapshots = nullptr)
      : frontend_(frontend),
        caller_(std::move(caller)),
        region_(std::move(region)),
        request_id_(std::move(request_id)),
        version_(version),
        quotas_(quotas),
        snapshots_(snapshots) {}

  // Reads and changes of the state.
  control::Frontend& frontend() const {
    HIKAE_CHECK(frontend_ != nullptr);
    return *frontend_;
  }
  const Caller& caller() const { return caller_; }
  const std::string& region() const { return region_; }
  const std::string& request_id() const { return request_id_; }
  // The model that answers, not what the client wrote: an ElastiCache client of 2013 gets
  // 2014-09-30.
  ApiVersion version() const { return version_; }
  const Quotas& quotas() const { return quotas_; }
  // Only for handlers of snapshots; there for every dispatcher that has a frontend.
  const SnapshotAccess& snapshots() const {
    HIKAE_CHECK(snapshots_ != nullptr && snapshots_->files != nullptr);
    return *snapshots_;
  }

 private:
  control::Frontend* frontend_;
  Caller caller_;
  std::string region_;
  std::string request_id_;
  ApiVersion version_;
  Quotas quotas_;
  const SnapshotAccess* snapshots_;
};

// What every handler returns.
template <class T>
using AsyncResult = boost::asio::awaitable<ApiResult<T>>;

}  // namespace hikae::api
