#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hikae {

// A source of random bits. Randomness is an argument: production passes one seeded by the system,
// tests and the simulator one seeded by them. Bounded draws are our own, because those of the
// standard library differ between implementations. Never draw twice in one expression: the order
// of evaluation differs between compilers.
class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;

  // Uniform in [0, bound). bound must not be 0.
  std::uint64_t below(std::uint64_t bound);
  // True with probability percent/100.
  bool percent(unsigned percent) { return below(100) < percent; }
  // `length` characters drawn from `alphabet`.
  std::string text(std::size_t length, std::string_view alphabet);
  std::string hex(std::size_t length) { return text(length, "0123456789abcdef"); }
};

// xoshiro256** (Blackman, Vigna 2018), seeded through splitmix64. The same seed gives the same
// sequence everywhere. Not for secrets.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed);
  std::uint64_t next() override;

 private:
  std::uint64_t state_[4];
};

}  // namespace hikae
