#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "api/handler_context.h"
#include "core/admission/ec2_common.h"
#include "core/state/state.h"

// How the handlers of EC2 read and change the state, with EC2's dry runs.

namespace hikae::api::ec2::handlers {

// The newest state. Do not keep the reference across a co_await: look again.
const core::State& state_of(const HandlerContext& context);

// DryRunOperation for a dry run that has come this far without a refusal.
ApiResult<void> check_dry_run(const std::optional<bool>& dry_run);

using Decide =
    std::function<core::Admitted<core::Transition>(const core::State&, core::AdmissionContext)>;

// Commits what `decide` answers, or refuses with its fault. A dry run decides but commits nothing.
AsyncResult<NoOutput> submit_change(HandlerContext& context, std::optional<bool> dry_run,
                                    Decide decide);

template <class T>
using Make =
    std::function<core::Admitted<core::Made<T>>(const core::State&, core::AdmissionContext)>;

// The same for a decision that makes something; answers it.
template <class T>
AsyncResult<T> submit_made(HandlerContext& context, std::optional<bool> dry_run, Make<T> decide) {
  T value{};
  Decide keep_value = [&](const core::State& state,
                          core::AdmissionContext admission) -> core::Admitted<core::Transition> {
    auto made = decide(state, admission);
    if (!made) {
      return tl::unexpected(made.error());
    }
    value = std::move(made->value);
    return std::move(made->transition);
  };
  auto done = co_await submit_change(context, dry_run, std::move(keep_value));
  if (!done) {
    co_return tl::unexpected(done.error());
  }
  co_return value;
}

// A refusal of core as one of the API.
inline tl::unexpected<ApiFault> refused(core::Fault fault) {
  return tl::unexpected<ApiFault>(ApiFault(std::move(fault)));
}

}  // namespace hikae::api::ec2::handlers
