#include "codec/dns/message.h"

namespace hikae::codec::dns {

namespace {

std::uint16_t read16(std::span<const std::uint8_t> bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

std::uint32_t read32(std::span<const std::uint8_t> bytes, std::size_t at) {
  return std::uint32_t{read16(bytes, at)} << 16 | read16(bytes, at + 2);
}

constexpr std::size_t kRecordFixedSize = 10;  // type, class, TTL, length of the data
constexpr std::size_t kQuestionFixedSize = 4;

// Reads the records behind the question and picks the OPT out of them. False when malformed: not
// whole, two OPTs, an OPT with an owner or outside the additional section, bytes left over.
bool read_rest(std::span<const std::uint8_t> message, std::size_t offset, Query& query) {
  const int before_additional = query.header.answer_count + query.header.authority_count;
  const int total = before_additional + query.header.additional_count;
  RecordView record;
  // A record takes 11 bytes or more, so the message's size bounds the loop before the counts do.
  for (int i = 0; i < total; ++i) {
    const auto next = read_record(message, offset, record);
    if (!next) {
      return false;
    }
    offset = *next;
    if (record.type != Type::kOpt) {
      continue;
    }
    if (query.edns || i < before_additional || record.owner.wire().size() != 1) {
      return false;
    }
    query.edns = read_edns(record);
  }
  return offset == message.size();
}

}  // namespace

std::optional<Header> read_header(std::span<const std::uint8_t> message) {
  if (message.size() < kHeaderSize) {
    return std::nullopt;
  }
  return Header{read16(message, 0), read16(message, 2), read16(message, 4),
                read16(message, 6), read16(message, 8), read16(message, 10)};
}

std::optional<std::size_t> read_record(std::span<const std::uint8_t> message, std::size_t offset,
                                       RecordView& out) {
  const auto behind_name = read_name(message, offset, out.owner);
  if (!behind_name || message.size() - *behind_name < kRecordFixedSize) {
    return std::nullopt;
  }
  const std::size_t at = *behind_name;
  out.type = Type(read16(message, at));
  out.record_class = read16(message, at + 2);
  out.ttl_seconds = read32(message, at + 4);
  out.data_offset = at + kRecordFixedSize;
  const std::size_t size = read16(message, at + 8);
  if (message.size() - out.data_offset < size) {
    return std::nullopt;
  }
  out.data = message.subspan(out.data_offset, size);
  return out.data_offset + size;
}

std::optional<std::size_t> read_question(std::span<const std::uint8_t> message, std::size_t offset,
                                         Name& name, Type& type, Class& question_class) {
  const auto at = read_name(message, offset, name);
  if (!at || message.size() - *at < kQuestionFixedSize) {
    return std::nullopt;
  }
  type = Type(read16(message, *at));
  question_class = Class(read16(message, *at + 2));
  return *at + kQuestionFixedSize;
}

Edns read_edns(const RecordView& opt) {
  return Edns{
      .udp_size = opt.record_class,
      .extended_rcode = static_cast<std::uint8_t>(opt.ttl_seconds >> 24),
      .version = static_cast<std::uint8_t>(opt.ttl_seconds >> 16),
      .dnssec_ok = (opt.ttl_seconds & 0x8000) != 0,
  };
}

QueryStatus parse_query(std::span<const std::uint8_t> message, Query& query) {
  const auto header = read_header(message);
  if (!header || header->is_response()) {
    return QueryStatus::kDrop;
  }
  query.header = *header;
  query.edns.reset();
  if (header->opcode() != 0) {
    return QueryStatus::kNotImp;
  }
  // RFC 9619: a QUERY has exactly one question.
  if (header->question_count != 1) {
    return QueryStatus::kFormErr;
  }
  const auto behind =
      read_question(message, kHeaderSize, query.name, query.type, query.question_class);
  if (!behind || query.type == Type::kOpt || !read_rest(message, *behind, query)) {
    return QueryStatus::kFormErr;
  }
  return QueryStatus::kOk;
}

}  // namespace hikae::codec::dns
