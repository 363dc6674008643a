#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hikae::codec::rdb {

// What an RDB file says of itself.
struct Facts {
  std::uint64_t bytes = 0;
  int format = 0;                 // of `REDIS0011` or `VALKEY080`
  std::uint64_t used_memory = 0;  // of the engine that wrote it, in bytes; 0: it does not say
  std::uint64_t checksum = 0;
  friend bool operator==(const Facts&, const Facts&) = default;
};

// 16 hexadecimal digits.
std::string checksum_text(std::uint64_t checksum);

// Tells whether a file is a whole, undamaged RDB file, from its bytes in order and in pieces of any
// size. It does not look into the data: the checksum at the end covers all of it.
class Verifier {
 public:
  void feed(std::string_view bytes);
  // Call after the last piece. kInvalid says what is wrong: no RDB file, one that is cut off or
  // damaged, or one that was written without a checksum, of which nobody can tell.
  Result<Facts> finish() const;

 private:
  std::string head_;            // the first bytes: magic, and what the engine says of itself
  std::string held_back_;       // the last bytes so far, which may be the checksum
  std::uint64_t bytes_ = 0;     // fed
  std::uint64_t crc_ = 0;       // of all but held_back_
  std::uint8_t last_byte_ = 0;  // of those
};

}  // namespace hikae::codec::rdb
