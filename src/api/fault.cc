#include "api/fault.h"

#include <algorithm>

namespace hikae::api {

int http_status_of(const ApiFault& fault, std::span<const FaultKind> kinds) {
  if (fault.http_status != 0) {
    return fault.http_status;
  }
  const auto found = std::lower_bound(
      kinds.begin(), kinds.end(), fault.code,
      [](const FaultKind& kind, const std::string& code) { return kind.code < code; });
  if (found != kinds.end() && found->code == fault.code) {
    return found->http_status;
  }
  return 400;
}

}  // namespace hikae::api
