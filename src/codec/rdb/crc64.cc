#include "codec/rdb/crc64.h"

#include <array>
#include <bit>
#include <cstring>

namespace hikae::codec::rdb {
namespace {

static_assert(std::endian::native == std::endian::little, "words are read as they lie in memory");

constexpr std::uint64_t kPolynomial = 0x95ac9329ac4bc9b5;  // bits in reverse order
using Table = std::array<std::array<std::uint64_t, 256>, 8>;

// Table k holds what a byte is worth when k more bytes follow it.
constexpr Table make_table() {
  Table table{};
  for (std::uint64_t byte = 0; byte < 256; ++byte) {
    std::uint64_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc & 1) != 0 ? (crc >> 1) ^ kPolynomial : crc >> 1;
    }
    table[0][byte] = crc;
  }
  for (std::size_t byte = 0; byte < 256; ++byte) {
    for (std::size_t k = 1; k < 8; ++k) {
      const std::uint64_t before = table[k - 1][byte];
      table[k][byte] = (before >> 8) ^ table[0][before & 0xff];
    }
  }
  return table;
}

constexpr Table kTable = make_table();

}  // namespace

std::uint64_t crc64(std::uint64_t crc, std::string_view bytes) {
  while (bytes.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), 8);
    word ^= crc;
    crc = 0;
    for (std::size_t k = 0; k < 8; ++k) {
      crc ^= kTable[7 - k][(word >> (8 * k)) & 0xff];
    }
    bytes.remove_prefix(8);
  }
  for (const char c : bytes) {
    crc = kTable[0][(crc ^ std::uint8_t(c)) & 0xff] ^ (crc >> 8);
  }
  return crc;
}

}  // namespace hikae::codec::rdb
