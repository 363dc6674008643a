#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hikae::api {

// A version of a service's API: a date such as 2015-02-02, kept as the number 20150202.
class ApiVersion {
 public:
  constexpr ApiVersion() = default;
  constexpr explicit ApiVersion(std::int32_t date) : date_(date) {}

  // The form `2015-02-02` only; it need not be a day of the calendar.
  static std::optional<ApiVersion> parse(std::string_view text);
  std::string str() const;

  friend constexpr auto operator<=>(const ApiVersion&, const ApiVersion&) = default;
  friend constexpr bool operator==(const ApiVersion&, const ApiVersion&) = default;

 private:
  std::int32_t date_ = 0;
};

// The model that answers a request for `requested`: the newest one that is not newer, or the oldest
// one there is. `models` is sorted, oldest first, and not empty.
ApiVersion nearest_version(ApiVersion requested, std::span<const ApiVersion> models);

}  // namespace hikae::api
