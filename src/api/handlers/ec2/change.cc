#include "api/handlers/ec2/change.h"

#include "control/frontend.h"

namespace hikae::api::ec2::handlers {
namespace {

constexpr std::string_view kDryRunCode = "DryRunOperation";
constexpr std::string_view kDryRunMessage = "Request would have succeeded, but DryRun flag is set.";

}  // namespace

const core::State& state_of(const HandlerContext& context) {
  return context.frontend().state();
}

ApiResult<void> check_dry_run(const std::optional<bool>& dry_run) {
  if (dry_run.value_or(false)) {
    return refuse(std::string(kDryRunCode), std::string(kDryRunMessage));
  }
  return {};
}

AsyncResult<NoOutput> submit_change(HandlerContext& context, std::optional<bool> dry_run,
                                    Decide decide) {
  control::Frontend::Decision decision =
      [&](const core::State& state,
          core::AdmissionContext admission) -> core::Admitted<core::Transition> {
    auto transition = decide(state, admission);
    if (transition && dry_run.value_or(false)) {
      return core::refuse(std::string(kDryRunCode), std::string(kDryRunMessage));
    }
    return transition;
  };
  auto done = co_await context.frontend().submit(std::move(decision));
  if (done) {
    co_return NoOutput{};
  }
  // EC2 has its own name for this one.
  if (done.error().code == "InternalFailure") {
    done.error().code = "InternalError";
  }
  co_return refused(std::move(done.error()));
}

}  // namespace hikae::api::ec2::handlers
