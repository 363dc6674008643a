#include "codec/rdb/verifier.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/strings.h"
#include "codec/rdb/crc64.h"

namespace hikae::codec::rdb {
namespace {

constexpr std::size_t kMagicSize = 9;
constexpr std::size_t kChecksumSize = 8;
constexpr std::size_t kHeadSize = 4096;  // engines write less than 300 bytes of themselves
constexpr std::uint8_t kAuxiliary = 0xfa;
constexpr std::uint8_t kEnd = 0xff;
constexpr int kFirstWithChecksum = 5;

// `REDIS0011`, `VALKEY080`: 0 when it is neither.
int format_of(std::string_view head) {
  for (const std::string_view magic : {"REDIS", "VALKEY"}) {
    if (head.size() >= kMagicSize && head.starts_with(magic)) {
      const auto number = parse_integer(head.substr(magic.size(), kMagicSize - magic.size()));
      return number && *number > 0 ? int(*number) : 0;
    }
  }
  return 0;
}

// Reads the fields at the beginning. Whatever it does not understand is the end.
class HeadReader {
 public:
  explicit HeadReader(std::string_view rest) : rest_(rest) {}

  std::optional<std::uint8_t> byte() {
    const auto one = take(1);
    return one ? std::optional(std::uint8_t(one->front())) : std::nullopt;
  }

  // A string, or a small integer as its digits.
  std::optional<std::string> string() {
    const auto first = byte();
    if (!first) {
      return std::nullopt;
    }
    switch (*first >> 6) {
      case 0:
        return text(*first & 0x3f);
      case 1: {
        const auto second = byte();
        return second ? text(std::size_t((*first & 0x3f) << 8 | *second)) : std::nullopt;
      }
      case 3:
        return integer(*first & 0x3f);
      default:
        return std::nullopt;  // longer than anything in a head
    }
  }

 private:
  std::optional<std::string_view> take(std::size_t size) {
    if (rest_.size() < size) {
      return std::nullopt;
    }
    const std::string_view out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }

  std::optional<std::string> text(std::size_t size) {
    const auto out = take(size);
    return out ? std::optional(std::string(*out)) : std::nullopt;
  }

  // 0, 1, 2: of 1, 2 and 4 bytes, the lowest first.
  std::optional<std::string> integer(int kind) {
    const auto bytes = kind <= 2 ? take(std::size_t(1) << kind) : std::nullopt;
    if (!bytes) {
      return std::nullopt;
    }
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < bytes->size(); ++i) {
      value |= std::uint32_t(std::uint8_t((*bytes)[i])) << (8 * i);
    }
    switch (kind) {
      case 0:
        return std::to_string(std::int8_t(value));
      case 1:
        return std::to_string(std::int16_t(value));
      default:
        return std::to_string(std::int32_t(value));
    }
  }

  std::string_view rest_;
};

// The engine writes the number as text, and as an integer where that is shorter.
std::uint64_t used_memory_of(std::string_view head) {
  HeadReader reader(head.substr(std::min(kMagicSize, head.size())));
  while (reader.byte() == kAuxiliary) {
    const auto name = reader.string();
    const auto value = reader.string();
    if (!name || !value) {
      return 0;
    }
    if (*name == "used-mem") {
      const auto number = parse_integer(*value);
      return number && *number > 0 ? std::uint64_t(*number) : 0;
    }
  }
  return 0;
}

}  // namespace

std::string checksum_text(std::uint64_t checksum) {
  return fmt::format("{:016x}", checksum);
}

void Verifier::feed(std::string_view bytes) {
  bytes_ += bytes.size();
  head_ += bytes.substr(0, kHeadSize - std::min(head_.size(), kHeadSize));
  const std::size_t all = held_back_.size() + bytes.size();
  const std::size_t counted = all - std::min(all, kChecksumSize);
  const auto count = [this](std::string_view piece) {
    if (!piece.empty()) {
      crc_ = crc64(crc_, piece);
      last_byte_ = std::uint8_t(piece.back());
    }
  };
  const std::size_t of_held_back = std::min(counted, held_back_.size());
  count(std::string_view(held_back_).substr(0, of_held_back));
  count(bytes.substr(0, counted - of_held_back));
  held_back_.erase(0, of_held_back);
  held_back_ += bytes.substr(counted - of_held_back);
}

Result<Facts> Verifier::finish() const {
  Facts facts;
  facts.bytes = bytes_;
  facts.format = format_of(head_);
  if (facts.format == 0) {
    return fail(ErrorCode::kInvalid, "it is no RDB file");
  }
  if (facts.format < kFirstWithChecksum) {
    return fail(ErrorCode::kInvalid,
                fmt::format("its format {} is too old to have a checksum", facts.format));
  }
  if (bytes_ < kMagicSize + 1 + kChecksumSize || last_byte_ != kEnd) {
    return fail(ErrorCode::kInvalid, "it is cut off, or damaged at its end");
  }
  for (std::size_t i = 0; i < kChecksumSize; ++i) {
    facts.checksum |= std::uint64_t(std::uint8_t(held_back_[i])) << (8 * i);
  }
  if (facts.checksum == 0) {
    return fail(ErrorCode::kInvalid,
                "it was written without a checksum (rdbchecksum no), so nobody can tell whether it "
                "is whole");
  }
  if (facts.checksum != crc_) {
    return fail(ErrorCode::kInvalid,
                fmt::format("it is damaged: its checksum is {}, and that of its bytes {}",
                            checksum_text(facts.checksum), checksum_text(crc_)));
  }
  facts.used_memory = used_memory_of(head_);
  return facts;
}

}  // namespace hikae::codec::rdb
