#include "core/admission/windows.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/strings.h"

namespace hikae::core {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr int kDay = 24 * 60;
constexpr int kWeek = 7 * kDay;
constexpr int kShortest = 60;
constexpr int kLongestDaily = 22 * 60;

// A span on a circle of `kWeek` or `kDay` minutes.
struct Span {
  int begin = 0;
  int length = 0;
};

std::optional<int> parse_clock(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() != 2 || parts[0].size() != 2 || parts[1].size() != 2) {
    return std::nullopt;
  }
  const auto hour = parse_integer(parts[0]);
  const auto minute = parse_integer(parts[1]);
  if (!hour || !minute || *hour < 0 || *hour > 23 || *minute < 0 || *minute > 59) {
    return std::nullopt;
  }
  return int(*hour * 60 + *minute);
}

std::optional<int> parse_day_and_clock(std::string_view text) {
  if (text.size() != 9 || text[3] != ':') {
    return std::nullopt;
  }
  const auto day = std::find(kDays.begin(), kDays.end(), to_lower(text.substr(0, 3)));
  const auto clock = parse_clock(text.substr(4));
  if (day == kDays.end() || !clock) {
    return std::nullopt;
  }
  return int(day - kDays.begin()) * kDay + *clock;
}

template <class Parse>
std::optional<Span> parse_span(std::string_view text, int circle, Parse parse) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) {
    return std::nullopt;
  }
  const auto begin = parse(text.substr(0, dash));
  const auto end = parse(text.substr(dash + 1));
  if (!begin || !end) {
    return std::nullopt;
  }
  return Span{*begin, (*end - *begin + circle) % circle};
}

std::optional<Span> weekly(std::string_view text) {
  return parse_span(text, kWeek, parse_day_and_clock);
}

std::optional<Span> daily(std::string_view text) {
  return parse_span(text, kDay, parse_clock);
}

std::string clock_text(int minute) {
  return fmt::format("{:02}:{:02}", minute / 60 % 24, minute % 60);
}

bool overlap_on_circle(Span a, Span b, int circle) {
  const int b_after_a = (b.begin - a.begin + circle) % circle;
  const int a_after_b = (a.begin - b.begin + circle) % circle;
  return b_after_a < a.length || a_after_b < b.length;
}

}  // namespace

std::optional<std::string> parse_maintenance_window(std::string_view text) {
  const auto span = weekly(text);
  if (!span || span->length < kShortest || span->length > kDay) {
    return std::nullopt;
  }
  return to_lower(text);
}

std::optional<std::string> parse_snapshot_window(std::string_view text) {
  const auto span = daily(text);
  if (!span || span->length < kShortest || span->length > kLongestDaily) {
    return std::nullopt;
  }
  return std::string(text);
}

std::optional<Duration> until_maintenance(std::string_view window, Instant now) {
  const auto span = weekly(window);
  if (!span) {
    return std::nullopt;
  }
  using std::chrono::minutes;
  // The first day of 1970 was a Thursday.
  constexpr Duration kFirstDay = minutes(3 * kDay);
  constexpr Duration kCircle = minutes(kWeek);
  const Duration at = (now - Instant() + kFirstDay) % kCircle;
  const Duration until = (minutes(span->begin) - at + kCircle) % kCircle;
  const bool open = kCircle - until < minutes(span->length) || until == Duration();
  return open ? Duration() : until;
}

std::optional<Instant> snapshot_window_opened(std::string_view window, Instant now) {
  const auto span = daily(window);
  if (!span) {
    return std::nullopt;
  }
  using std::chrono::minutes;
  constexpr Duration kCircle = minutes(kDay);
  const Duration at = (now - Instant()) % kCircle;
  const Duration since = (at - minutes(span->begin) + kCircle) % kCircle;
  return since < minutes(span->length) ? std::optional(now - since) : std::nullopt;
}

bool windows_overlap(std::string_view maintenance, std::string_view snapshot) {
  const auto week = weekly(maintenance);
  const auto day = daily(snapshot);
  if (!week || !day) {
    return false;
  }
  for (int i = 0; i < 7; ++i) {
    if (overlap_on_circle(*week, Span{i * kDay + day->begin, day->length}, kWeek)) {
      return true;
    }
  }
  return false;
}

std::string random_maintenance_window(Random& random) {
  const int begin = int(random.below(kWeek / kShortest)) * kShortest;
  const int end = (begin + kShortest) % kWeek;
  return fmt::format("{}:{}-{}:{}", kDays[std::size_t(begin / kDay)], clock_text(begin % kDay),
                     kDays[std::size_t(end / kDay)], clock_text(end % kDay));
}

std::string random_snapshot_window(Random& random, std::string_view maintenance) {
  while (true) {
    const int begin = int(random.below(24)) * 60;
    const auto window = fmt::format("{}-{}", clock_text(begin), clock_text((begin + 60) % kDay));
    if (!windows_overlap(maintenance, window)) {
      return window;
    }
  }
}

}  // namespace hikae::core
