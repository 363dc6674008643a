#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/address.h"
#include "codec/dns/message.h"
#include "codec/dns/name.h"

namespace hikae::codec::dns {

struct SoaData {
  std::string_view name_server;  // wire form
  std::string_view mailbox;      // wire form
  std::uint32_t serial = 0;
  std::uint32_t refresh_seconds = 0;
  std::uint32_t retry_seconds = 0;
  std::uint32_t expire_seconds = 0;
  std::uint32_t negative_ttl_seconds = 0;
};

enum class Section { kAnswer, kAuthority, kAdditional };

// Writes one message into the caller's buffer, compressing names against those already written.
// Names are passed in wire form (Name::wire()); class is always IN. Sections must be filled in
// order. Each add_ function returns false, and leaves the message as it was, when the record does
// not fit below the limit. No allocation.
class MessageWriter {
 public:
  // `buffer` must hold kPlainUdpLimit bytes or more, so that header, question and OPT always fit.
  explicit MessageWriter(std::span<std::uint8_t> buffer);

  // The message's size may not exceed it; at most the buffer's size.
  void set_limit(std::size_t limit);

  void set_header(std::uint16_t id, std::uint16_t flags);
  void add_flags(std::uint16_t flags);
  void set_rcode(Rcode rcode);  // its lower four bits; the rest goes into add_opt

  bool add_question(std::string_view name, Type type, Class question_class);
  bool add_a(Section section, std::string_view owner, std::uint32_t ttl, Ipv4 address);
  bool add_cname(Section section, std::string_view owner, std::uint32_t ttl,
                 std::string_view target);
  bool add_ns(Section section, std::string_view owner, std::uint32_t ttl, std::string_view host);
  bool add_soa(Section section, std::string_view owner, std::uint32_t ttl, const SoaData& soa);
  // One character string, at most 255 bytes of `text`.
  bool add_txt(Section section, std::string_view owner, std::uint32_t ttl, std::string_view text);
  bool add_opt(const Edns& edns);

  // Takes every record out again and keeps header and question, as a truncated answer does.
  void drop_records();

  std::size_t size() const { return size_; }

 private:
  // Names behind this many labels are written without being remembered.
  static constexpr std::size_t kMaxSuffixes = 64;

  struct Suffix {
    std::uint16_t offset = 0;    // where in the message it begins
    std::uint8_t wire_size = 0;  // uncompressed
  };

  template <class WriteData>
  bool add_record(Section section, std::string_view owner, Type type, std::uint32_t ttl,
                  WriteData write_data);
  bool put16(std::size_t value);
  bool put32(std::uint32_t value);
  bool put_bytes(const void* bytes, std::size_t count);
  bool put_name(std::string_view wire);
  const Suffix* find_suffix(std::string_view wire) const;
  bool suffix_equals(std::size_t offset, std::string_view wire) const;
  void patch16(std::size_t at, std::size_t value);
  std::uint16_t peek16(std::size_t at) const;

  std::span<std::uint8_t> buffer_;
  std::size_t limit_;
  std::size_t size_ = kHeaderSize;
  std::array<Suffix, kMaxSuffixes> suffixes_;
  std::size_t suffix_count_ = 0;
  std::size_t question_end_ = kHeaderSize;
  std::size_t question_suffix_count_ = 0;
};

}  // namespace hikae::codec::dns
