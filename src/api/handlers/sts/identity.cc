#include <fmt/format.h>

#include "api/generated/sts_handlers.h"
#include "core/admission/arn.h"

namespace hikae::api::sts::handlers {

// Every key of a region belongs to its one account, whose root a caller therefore is.
AsyncResult<GetCallerIdentityResponse> get_caller_identity(HandlerContext& context,
                                                           GetCallerIdentityRequest) {
  const std::string& account = context.caller().account_id;
  GetCallerIdentityResponse result;
  result.user_id = account;
  result.account = account;
  result.arn = fmt::format("arn:{}:iam::{}:root", core::partition_of(context.region()), account);
  co_return result;
}

}  // namespace hikae::api::sts::handlers
