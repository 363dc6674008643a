#pragma once

#include <array>
#include <cstdint>

#include "base/random.h"
#include "base/result.h"

namespace hikae::adapters {

// Bits from the kernel (getrandom(2)); good enough for secrets.
class SystemRandom final : public Random {
 public:
  std::uint64_t next() override;

 private:
  // Fetched in blocks: a system call for every draw would be 100 times slower.
  std::array<std::uint64_t, 32> block_ = {};
  std::size_t used_ = 32;
};

}  // namespace hikae::adapters
