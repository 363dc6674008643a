#include "adapters/system/system_random.h"

#include <sys/random.h>

#include "base/check.h"

namespace hikae::adapters {

std::uint64_t SystemRandom::next() {
  if (used_ == block_.size()) {
    // Up to 256 bytes are never cut short by a signal (getrandom(2)).
    static_assert(sizeof(block_) <= 256);
    const ssize_t got = ::getrandom(block_.data(), sizeof(block_), 0);
    HIKAE_CHECK(got == ssize_t(sizeof(block_)));
    used_ = 0;
  }
  const std::uint64_t draw = block_[used_];
  block_[used_++] = 0;  // what was given out is not kept
  return draw;
}

}  // namespace hikae::adapters
