#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "sim/timeline.h"

namespace hikae::sim {

// What happened, line by line: hashed always, printed when asked for. Two runs of a seed must have
// the same hash.
class Trace {
 public:
  Trace(const Timeline& timeline, bool print) : timeline_(timeline), print_(print) {}

  template <class... Args>
  void line(std::string_view who, fmt::format_string<Args...> format, Args&&... args) {
    add(who, fmt::format(format, std::forward<Args>(args)...));
  }
  void add(std::string_view who, std::string_view what);
  std::uint64_t hash() const { return hash_; }
  std::uint64_t lines() const { return lines_; }

 private:
  void mix(std::string_view text);

  const Timeline& timeline_;
  bool print_;
  std::uint64_t hash_ = 0xcbf29ce484222325;  // FNV-1a
  std::uint64_t lines_ = 0;
};

// The log of the code under test goes into the trace.
class SimLog final : public control::Log {
 public:
  SimLog(Trace& trace, std::string who) : trace_(trace), who_(std::move(who)) {}
  void end() { ended_ = true; }

  void info(std::string_view line) override { add("", line); }
  void warn(std::string_view line) override { add("warning: ", line); }
  void error(std::string_view line) override { add("error: ", line); }

 private:
  void add(std::string_view level, std::string_view line) {
    if (!ended_) {
      trace_.line(who_, "{}{}", level, line);
    }
  }
  Trace& trace_;
  std::string who_;
  bool ended_ = false;
};

}  // namespace hikae::sim
