#include "adapters/process/posix.h"

#include <cerrno>
#include <system_error>

#include <fmt/format.h>

namespace hikae::adapters {
namespace {

ErrorCode code_of(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case EAGAIN:
    case ENOMEM:
      return ErrorCode::kExhausted;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::kDenied;
    case ENOENT:
    case ESRCH:
      return ErrorCode::kNotFound;
    case ENAMETOOLONG:
    case ELOOP:
    case ENOTDIR:
      return ErrorCode::kInvalid;
    default:
      return ErrorCode::kInternal;
  }
}

}  // namespace

tl::unexpected<Error> posix_failure(int error_number, const std::string& what) {
  return fail(code_of(error_number),
              fmt::format("{}: {}", what, std::generic_category().message(error_number)));
}

}  // namespace hikae::adapters
