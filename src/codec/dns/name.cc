#include "codec/dns/name.h"

#include <cstring>

#include "codec/dns/message.h"

namespace hikae::codec::dns {

namespace {

// Length bytes are at most 63 and letters begin at 65, so a whole wire form can be lowered at once.
constexpr std::uint8_t lower(std::uint8_t c) {
  return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

constexpr std::uint8_t kPointerBits = 0xC0;

}  // namespace

bool Name::append_label(const std::uint8_t* label, std::size_t size) {
  if (size == 0 || size > kMaxLabelSize || size_ + size + 1 > kMaxNameSize) {
    return false;
  }
  bytes_[size_ - 1] = static_cast<std::uint8_t>(size);
  std::memcpy(bytes_.data() + size_, label, size);
  size_ = static_cast<std::uint8_t>(size_ + size + 1);
  bytes_[size_ - 1] = 0;
  return true;
}

std::optional<Name> Name::parse(std::string_view text) {
  Name name;
  if (text == ".") {
    return name;
  }
  if (!text.empty() && text.back() == '.') {
    text.remove_suffix(1);
  }
  while (true) {
    const std::size_t dot = text.find('.');
    const std::string_view label = text.substr(0, dot);
    if (!name.append_label(reinterpret_cast<const std::uint8_t*>(label.data()), label.size())) {
      return std::nullopt;
    }
    if (dot == std::string_view::npos) {
      return name;
    }
    text.remove_prefix(dot + 1);
  }
}

std::string Name::str() const {
  if (size_ == 1) {
    return ".";
  }
  std::string text;
  text.reserve(size_);
  for (std::size_t at = 0; bytes_[at] != 0; at += bytes_[at] + std::size_t{1}) {
    if (!text.empty()) {
      text.push_back('.');
    }
    text.append(reinterpret_cast<const char*>(bytes_.data()) + at + 1, bytes_[at]);
  }
  return text;
}

Name Name::lowered() const {
  Name result;
  result.size_ = size_;
  for (std::size_t i = 0; i < size_; ++i) {
    result.bytes_[i] = lower(bytes_[i]);
  }
  return result;
}

std::optional<std::size_t> read_name(std::span<const std::uint8_t> message, std::size_t offset,
                                     Name& out) {
  out.size_ = 1;
  out.bytes_[0] = 0;
  std::optional<std::size_t> behind;   // set by the first pointer
  std::size_t segment_start = offset;  // pointers must go before it, so the walk ends
  int hops = 0;
  while (offset < message.size()) {
    const std::uint8_t length = message[offset];
    if (length == 0) {
      return behind ? *behind : offset + 1;
    }
    if ((length & kPointerBits) == kPointerBits) {
      if (offset + 1 >= message.size() || ++hops > kMaxPointerHops) {
        return std::nullopt;
      }
      const std::size_t target = std::size_t{length & 0x3Fu} << 8 | message[offset + 1];
      if (target >= segment_start || target < kHeaderSize) {
        return std::nullopt;
      }
      behind = behind ? behind : offset + 2;
      offset = segment_start = target;
      continue;
    }
    // The bit patterns 01 and 10 are reserved; append_label refuses them as longer than 63.
    if (offset + 1 + length > message.size() ||
        !out.append_label(message.data() + offset + 1, length)) {
      return std::nullopt;
    }
    offset += std::size_t{1} + length;
  }
  return std::nullopt;
}

bool equal_labels(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(static_cast<std::uint8_t>(a[i])) != lower(static_cast<std::uint8_t>(b[i]))) {
      return false;
    }
  }
  return true;
}

std::string_view parent_of(std::string_view wire) {
  return wire.substr(static_cast<std::uint8_t>(wire.front()) + std::size_t{1});
}

}  // namespace hikae::codec::dns
