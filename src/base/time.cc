#include "base/time.h"

#include <fmt/format.h>

namespace hikae {
namespace {

struct Civil {
  int year, month, day, hour, minute, second;
  int microsecond;
};

Civil to_civil(Instant t) {
  using namespace std::chrono;
  const auto since_epoch = microseconds(t.microseconds());
  const auto day = floor<days>(since_epoch);
  const year_month_day date{sys_days(day)};
  const hh_mm_ss clock{since_epoch - day};
  return Civil{int(date.year()),
               int(unsigned(date.month())),
               int(unsigned(date.day())),
               int(clock.hours().count()),
               int(clock.minutes().count()),
               int(clock.seconds().count()),
               int(clock.subseconds().count())};
}

// Reads fixed-width digits and separators from the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}
  bool digits(int count, int& out) {
    if (text_.size() < std::size_t(count)) {
      return false;
    }
    out = 0;
    for (int i = 0; i < count; ++i) {
      const char c = text_[std::size_t(i)];
      if (c < '0' || c > '9') {
        return false;
      }
      out = out * 10 + (c - '0');
    }
    text_.remove_prefix(std::size_t(count));
    return true;
  }
  bool literal(char c) {
    if (text_.empty() || text_.front() != c) {
      return false;
    }
    text_.remove_prefix(1);
    return true;
  }
  // `.123` or nothing. More than six digits are read and the excess dropped.
  bool fraction(int& microsecond) {
    microsecond = 0;
    if (!literal('.')) {
      return true;
    }
    int scale = 100'000, count = 0;
    for (int digit = 0; digits(1, digit); ++count) {
      microsecond += digit * scale;
      scale /= 10;
    }
    return count > 0;
  }
  // `Z`, nothing (UTC), or `+09:00` and `+0900`.
  bool offset(int& minutes) {
    minutes = 0;
    if (text_.empty() || literal('Z')) {
      return text_.empty();
    }
    const bool negative = text_.front() == '-';
    if (!literal('+') && !literal('-')) {
      return false;
    }
    int hours = 0, rest = 0;
    if (!digits(2, hours)) {
      return false;
    }
    literal(':');
    if (!digits(2, rest) || !text_.empty()) {
      return false;
    }
    minutes = (hours * 60 + rest) * (negative ? -1 : 1);
    return true;
  }

 private:
  std::string_view text_;
};

}  // namespace

std::string to_iso8601(Instant t) {
  const Civil c = to_civil(t);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", c.year, c.month, c.day, c.hour,
                     c.minute, c.second, c.microsecond / 1000);
}

std::string to_basic_iso8601(Instant t) {
  const Civil c = to_civil(t);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", c.year, c.month, c.day, c.hour, c.minute,
                     c.second);
}

std::optional<Instant> parse_iso8601(std::string_view text) {
  using namespace std::chrono;
  Scanner in(text);
  Civil c{};
  int offset_minutes = 0;
  if (!in.digits(4, c.year)) {
    return std::nullopt;
  }
  const bool extended = in.literal('-');
  bool ok = in.digits(2, c.month) && (!extended || in.literal('-')) && in.digits(2, c.day) &&
            in.literal('T') && in.digits(2, c.hour) && (!extended || in.literal(':')) &&
            in.digits(2, c.minute) && (!extended || in.literal(':')) && in.digits(2, c.second) &&
            in.fraction(c.microsecond) && in.offset(offset_minutes);
  const year_month_day date{year(c.year), month(unsigned(c.month)), day(unsigned(c.day))};
  ok = ok && date.ok() && c.hour < 24 && c.minute < 60 && c.second < 61;
  if (!ok) {
    return std::nullopt;
  }
  const auto since_epoch = sys_days(date).time_since_epoch() + hours(c.hour) +
                           minutes(c.minute - offset_minutes) + seconds(c.second) +
                           microseconds(c.microsecond);
  return Instant(duration_cast<microseconds>(since_epoch).count());
}

}  // namespace hikae
