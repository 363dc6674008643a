#pragma once

#include <cstdint>
#include <string_view>

namespace hikae::codec::rdb {

// The CRC-64 of RDB files (Jones's polynomial, reflected, no inversion), continued from `crc`; 0 to
// begin. Reads eight bytes at a time: a gigabyte takes about a second or less.
std::uint64_t crc64(std::uint64_t crc, std::string_view bytes);

}  // namespace hikae::codec::rdb
