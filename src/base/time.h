#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hikae {

// A length of time. There is no now() in this file on purpose: time is an argument in core, and a
// port (control::Clock) above it.
using Duration = std::chrono::microseconds;

// A point of civil time (UTC), microseconds since 1970. It may jump; never measure with it.
class Instant {
 public:
  constexpr Instant() = default;
  constexpr explicit Instant(std::int64_t microseconds) : microseconds_(microseconds) {}
  constexpr std::int64_t microseconds() const { return microseconds_; }
  constexpr std::int64_t seconds() const { return microseconds_ / 1'000'000; }
  friend constexpr auto operator<=>(const Instant&, const Instant&) = default;
  friend constexpr bool operator==(const Instant&, const Instant&) = default;
  friend constexpr Instant operator+(Instant t, Duration d) {
    return Instant(t.microseconds_ + d.count());
  }
  friend constexpr Instant operator-(Instant t, Duration d) {
    return Instant(t.microseconds_ - d.count());
  }
  friend constexpr Duration operator-(Instant a, Instant b) {
    return Duration(a.microseconds_ - b.microseconds_);
  }

 private:
  std::int64_t microseconds_ = 0;
};

// A point on a clock that only moves forward, microseconds since an arbitrary start of the same
// machine. For periods, timeouts and leases.
class Monotonic {
 public:
  constexpr Monotonic() = default;
  constexpr explicit Monotonic(std::int64_t microseconds) : microseconds_(microseconds) {}
  constexpr std::int64_t microseconds() const { return microseconds_; }
  friend constexpr auto operator<=>(const Monotonic&, const Monotonic&) = default;
  friend constexpr bool operator==(const Monotonic&, const Monotonic&) = default;
  friend constexpr Monotonic operator+(Monotonic t, Duration d) {
    return Monotonic(t.microseconds_ + d.count());
  }
  friend constexpr Duration operator-(Monotonic a, Monotonic b) {
    return Duration(a.microseconds_ - b.microseconds_);
  }

 private:
  std::int64_t microseconds_ = 0;
};

// `2015-02-02T18:46:57.972Z`, the form in which AWS answers (milliseconds, UTC).
std::string to_iso8601(Instant t);

// `20150202T184657Z`, the form of X-Amz-Date.
std::string to_basic_iso8601(Instant t);

// Accepts `2014-09-30T00:00:00Z`, fractions of a second, a numeric offset, and the basic form
// `20140930T000000Z`. Anything else is nullopt.
std::optional<Instant> parse_iso8601(std::string_view text);

}  // namespace hikae
