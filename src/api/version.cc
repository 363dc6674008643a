#include "api/version.h"

#include <fmt/format.h>

#include "base/check.h"

namespace hikae::api {

std::optional<ApiVersion> ApiVersion::parse(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') {
    return std::nullopt;
  }
  std::int32_t date = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == 4 || i == 7) {
      continue;
    }
    if (text[i] < '0' || text[i] > '9') {
      return std::nullopt;
    }
    date = date * 10 + (text[i] - '0');
  }
  return ApiVersion(date);
}

std::string ApiVersion::str() const {
  return fmt::format("{:04}-{:02}-{:02}", date_ / 10000, date_ / 100 % 100, date_ % 100);
}

ApiVersion nearest_version(ApiVersion requested, std::span<const ApiVersion> models) {
  HIKAE_CHECK(!models.empty());
  ApiVersion nearest = models.front();
  for (const ApiVersion model : models) {
    if (model <= requested) {
      nearest = model;
    }
  }
  return nearest;
}

}  // namespace hikae::api
