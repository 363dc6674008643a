#pragma once

namespace hikae {

// Prints the broken assumption and aborts. Engines survive an abort of hikae and are adopted by the
// next start, so stopping is safer than going on with a wrong state.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace hikae

// For our own bugs only; stays on in release. Input from outside is refused, never CHECKed.
#define HIKAE_CHECK(condition)                               \
  do {                                                       \
    if (!(condition)) [[unlikely]] {                         \
      ::hikae::check_failed(#condition, __FILE__, __LINE__); \
    }                                                        \
  } while (false)
