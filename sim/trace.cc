#include "sim/trace.h"

#include <cstdio>

namespace hikae::sim {

void Trace::add(std::string_view who, std::string_view what) {
  ++lines_;
  const std::int64_t at = timeline_.now().microseconds();
  mix(std::string_view(reinterpret_cast<const char*>(&at), sizeof at));
  mix(who);
  mix(what);
  if (print_) {
    fmt::print("{:>6}.{:06} {:<12} {}\n", at / 1'000'000, at % 1'000'000, who, what);
  }
}

void Trace::mix(std::string_view text) {
  for (const char c : text) {
    hash_ = (hash_ ^ std::uint8_t(c)) * 0x100000001b3;
  }
  hash_ = (hash_ ^ 0xff) * 0x100000001b3;
}

}  // namespace hikae::sim
