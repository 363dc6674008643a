#include "codec/dns/writer.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace hikae::codec::dns {

namespace {

constexpr std::size_t kFlagsAt = 2;
constexpr std::size_t kQuestionCountAt = 4;
constexpr std::size_t kMaxPointer = 0x3FFF;  // a pointer has 14 bits
constexpr std::size_t kMaxCharacterString = 255;

std::size_t count_at(Section section) {
  return 6 + 2 * static_cast<std::size_t>(section);
}

}  // namespace

MessageWriter::MessageWriter(std::span<std::uint8_t> buffer)
    : buffer_(buffer), limit_(std::min(buffer.size(), kTcpLimit)) {
  HIKAE_CHECK(buffer.size() >= kPlainUdpLimit);
  std::memset(buffer_.data(), 0, kHeaderSize);
}

void MessageWriter::set_limit(std::size_t limit) {
  limit_ = std::min({limit, buffer_.size(), kTcpLimit});
  HIKAE_CHECK(limit_ >= size_);
}

void MessageWriter::set_header(std::uint16_t id, std::uint16_t flags) {
  patch16(0, id);
  patch16(kFlagsAt, flags);
}

void MessageWriter::add_flags(std::uint16_t flags) {
  patch16(kFlagsAt, peek16(kFlagsAt) | flags);
}

void MessageWriter::set_rcode(Rcode rcode) {
  const auto bits = static_cast<std::uint16_t>(rcode);
  patch16(kFlagsAt, (peek16(kFlagsAt) & ~flag::kRcodeMask) | (bits & flag::kRcodeMask));
}

bool MessageWriter::add_question(std::string_view name, Type type, Class question_class) {
  HIKAE_CHECK(size_ == kHeaderSize);
  if (!put_name(name) || !put16(static_cast<std::uint16_t>(type)) ||
      !put16(static_cast<std::uint16_t>(question_class))) {
    size_ = kHeaderSize;
    suffix_count_ = 0;
    return false;
  }
  patch16(kQuestionCountAt, 1);
  question_end_ = size_;
  question_suffix_count_ = suffix_count_;
  return true;
}

template <class WriteData>
bool MessageWriter::add_record(Section section, std::string_view owner, Type type,
                               std::uint32_t ttl, WriteData write_data) {
  const std::size_t old_size = size_;
  const std::size_t old_suffix_count = suffix_count_;
  bool fits = put_name(owner) && put16(static_cast<std::uint16_t>(type)) &&
              put16(static_cast<std::uint16_t>(Class::kIn)) && put32(ttl) && put16(0);
  const std::size_t data_at = size_;
  fits = fits && write_data();
  if (!fits) {
    size_ = old_size;
    suffix_count_ = old_suffix_count;
    return false;
  }
  patch16(data_at - 2, size_ - data_at);
  patch16(count_at(section), peek16(count_at(section)) + std::size_t{1});
  return true;
}

bool MessageWriter::add_a(Section section, std::string_view owner, std::uint32_t ttl,
                          Ipv4 address) {
  return add_record(section, owner, Type::kA, ttl, [&] { return put32(address.bits()); });
}

bool MessageWriter::add_cname(Section section, std::string_view owner, std::uint32_t ttl,
                              std::string_view target) {
  return add_record(section, owner, Type::kCname, ttl, [&] { return put_name(target); });
}

bool MessageWriter::add_ns(Section section, std::string_view owner, std::uint32_t ttl,
                           std::string_view host) {
  return add_record(section, owner, Type::kNs, ttl, [&] { return put_name(host); });
}

bool MessageWriter::add_soa(Section section, std::string_view owner, std::uint32_t ttl,
                            const SoaData& soa) {
  return add_record(section, owner, Type::kSoa, ttl, [&] {
    return put_name(soa.name_server) && put_name(soa.mailbox) && put32(soa.serial) &&
           put32(soa.refresh_seconds) && put32(soa.retry_seconds) && put32(soa.expire_seconds) &&
           put32(soa.negative_ttl_seconds);
  });
}

bool MessageWriter::add_txt(Section section, std::string_view owner, std::uint32_t ttl,
                            std::string_view text) {
  text = text.substr(0, kMaxCharacterString);
  const auto length = static_cast<std::uint8_t>(text.size());
  return add_record(section, owner, Type::kTxt, ttl,
                    [&] { return put_bytes(&length, 1) && put_bytes(text.data(), text.size()); });
}

bool MessageWriter::add_opt(const Edns& edns) {
  if (limit_ - size_ < kOptSize) {
    return false;
  }
  const std::uint8_t root = 0;
  const std::uint32_t ttl = std::uint32_t{edns.extended_rcode} << 24 |
                            std::uint32_t{edns.version} << 16 | (edns.dnssec_ok ? 0x8000u : 0u);
  put_bytes(&root, 1);
  put16(static_cast<std::uint16_t>(Type::kOpt));
  put16(edns.udp_size);
  put32(ttl);
  put16(0);
  const std::size_t at = count_at(Section::kAdditional);
  patch16(at, peek16(at) + std::size_t{1});
  return true;
}

void MessageWriter::drop_records() {
  size_ = question_end_;
  suffix_count_ = question_suffix_count_;
  for (const Section section : {Section::kAnswer, Section::kAuthority, Section::kAdditional}) {
    patch16(count_at(section), 0);
  }
}

bool MessageWriter::put16(std::size_t value) {
  if (limit_ - size_ < 2) {
    return false;
  }
  patch16(size_, value);
  size_ += 2;
  return true;
}

bool MessageWriter::put32(std::uint32_t value) {
  return put16(value >> 16) && put16(value & 0xFFFF);
}

bool MessageWriter::put_bytes(const void* bytes, std::size_t count) {
  if (limit_ - size_ < count) {
    return false;
  }
  if (count > 0) {
    std::memcpy(buffer_.data() + size_, bytes, count);
  }
  size_ += count;
  return true;
}

bool MessageWriter::put_name(std::string_view wire) {
  while (wire.front() != 0) {
    if (const Suffix* known = find_suffix(wire)) {
      return put16(0xC000 | known->offset);
    }
    if (suffix_count_ < kMaxSuffixes && size_ <= kMaxPointer) {
      suffixes_[suffix_count_++] =
          Suffix{static_cast<std::uint16_t>(size_), static_cast<std::uint8_t>(wire.size())};
    }
    const std::string_view rest = parent_of(wire);
    if (!put_bytes(wire.data(), wire.size() - rest.size())) {
      return false;
    }
    wire = rest;
  }
  return put_bytes(wire.data(), 1);
}

const MessageWriter::Suffix* MessageWriter::find_suffix(std::string_view wire) const {
  for (std::size_t i = 0; i < suffix_count_; ++i) {
    if (suffixes_[i].wire_size == wire.size() && suffix_equals(suffixes_[i].offset, wire)) {
      return &suffixes_[i];
    }
  }
  return nullptr;
}

bool MessageWriter::suffix_equals(std::size_t offset, std::string_view wire) const {
  while (true) {
    const std::uint8_t length = buffer_[offset];
    if (length >= 0xC0) {
      offset = std::size_t{length & 0x3Fu} << 8 | buffer_[offset + 1];
      continue;
    }
    const std::string_view label(reinterpret_cast<const char*>(buffer_.data()) + offset,
                                 length + std::size_t{1});
    // A suffix of the name that is being written right now may not be whole yet; its size differs
    // from every later one of the same name, so it is never compared.
    if (!equal_labels(label, wire.substr(0, label.size()))) {
      return false;
    }
    if (length == 0) {
      return true;
    }
    wire.remove_prefix(label.size());
    offset += label.size();
  }
}

void MessageWriter::patch16(std::size_t at, std::size_t value) {
  buffer_[at] = static_cast<std::uint8_t>(value >> 8);
  buffer_[at + 1] = static_cast<std::uint8_t>(value);
}

std::uint16_t MessageWriter::peek16(std::size_t at) const {
  return static_cast<std::uint16_t>(buffer_[at] << 8 | buffer_[at + 1]);
}

}  // namespace hikae::codec::dns
