#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "codec/dns/name.h"

// Reading DNS messages (RFC 1035, EDNS(0) of RFC 6891). Writing them: codec/dns/writer.h.
namespace hikae::codec::dns {

inline constexpr std::size_t kHeaderSize = 12;
inline constexpr std::size_t kOptSize = 11;  // an OPT record without options

// What fits in a datagram without EDNS, and the most we send in one: 1232 is the least IPv6 MTU
// less its headers (DNS flag day 2020), so no answer is ever fragmented.
inline constexpr std::size_t kPlainUdpLimit = 512;
inline constexpr std::size_t kEdnsUdpLimit = 1232;
inline constexpr std::size_t kTcpLimit = 65535;

// Not a closed set: any 16 bits may arrive, and are compared with these.
enum class Type : std::uint16_t {
  kA = 1,
  kNs = 2,
  kCname = 5,
  kSoa = 6,
  kTxt = 16,
  kAaaa = 28,
  kOpt = 41,
  kIxfr = 251,
  kAxfr = 252,
  kAny = 255,
};

enum class Class : std::uint16_t { kIn = 1, kAny = 255 };

enum class Rcode : std::uint16_t {
  kNoError = 0,
  kFormErr = 1,
  kServFail = 2,
  kNxDomain = 3,
  kNotImp = 4,
  kRefused = 5,
  kBadVers = 16,  // needs the OPT record's upper bits
};

// Bits of the header's second 16-bit word.
namespace flag {
inline constexpr std::uint16_t kResponse = 0x8000;
inline constexpr std::uint16_t kOpcodeMask = 0x7800;
inline constexpr std::uint16_t kAuthoritative = 0x0400;
inline constexpr std::uint16_t kTruncated = 0x0200;
inline constexpr std::uint16_t kRecursionDesired = 0x0100;
inline constexpr std::uint16_t kCheckingDisabled = 0x0010;
inline constexpr std::uint16_t kRcodeMask = 0x000F;
}  // namespace flag

struct Header {
  std::uint16_t id = 0;
  std::uint16_t flags = 0;
  std::uint16_t question_count = 0;
  std::uint16_t answer_count = 0;
  std::uint16_t authority_count = 0;
  std::uint16_t additional_count = 0;

  bool is_response() const { return (flags & flag::kResponse) != 0; }
  int opcode() const { return (flags & flag::kOpcodeMask) >> 11; }
  Rcode rcode() const { return Rcode(flags & flag::kRcodeMask); }
};

// What an OPT record says about its sender.
struct Edns {
  std::uint16_t udp_size = 0;
  std::uint8_t extended_rcode = 0;
  std::uint8_t version = 0;
  bool dnssec_ok = false;
};

// One resource record of a received message. The data is a view into that message; names in it may
// hold pointers, so they are read with read_name at data_offset.
struct RecordView {
  Name owner;
  Type type = Type::kA;
  std::uint16_t record_class = 0;
  std::uint32_t ttl_seconds = 0;
  std::size_t data_offset = 0;
  std::span<const std::uint8_t> data;
};

// nullopt when there are fewer than 12 bytes.
std::optional<Header> read_header(std::span<const std::uint8_t> message);

// Reads the record at `offset`; returns the offset behind it, or nullopt when malformed.
std::optional<std::size_t> read_record(std::span<const std::uint8_t> message, std::size_t offset,
                                       RecordView& out);

// Reads type and class behind a question's name; returns the offset behind them.
std::optional<std::size_t> read_question(std::span<const std::uint8_t> message, std::size_t offset,
                                         Name& name, Type& type, Class& question_class);

Edns read_edns(const RecordView& opt);

struct Query {
  Header header;
  Name name;  // as asked, in its case
  Type type = Type::kA;
  Class question_class = Class::kIn;
  std::optional<Edns> edns;
};

enum class QueryStatus {
  kOk,
  kDrop,     // no answer at all: a response, or no whole header
  kFormErr,  // header valid, the rest not; only Query::header is set
  kNotImp,   // another opcode than QUERY; only Query::header is set
};

// Any bytes are safe. No allocation.
QueryStatus parse_query(std::span<const std::uint8_t> message, Query& query);

}  // namespace hikae::codec::dns
