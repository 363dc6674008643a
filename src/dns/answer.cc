#include "dns/answer.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "codec/dns/writer.h"

namespace hikae::dns {

namespace {

using codec::dns::Class;
using codec::dns::Edns;
using codec::dns::MessageWriter;
using codec::dns::Name;
using codec::dns::Query;
using codec::dns::QueryStatus;
using codec::dns::Rcode;
using codec::dns::Section;
using codec::dns::SoaData;
using codec::dns::Type;
using core::NameRecord;
namespace flag = codec::dns::flag;

// Ours have one link (endpoint -> node). More than this is a loop made by mistake.
constexpr int kMaxAliasChain = 8;

SoaData soa_of(const Zone& zone) {
  return SoaData{
      .name_server = zone.name_server().wire(),
      .mailbox = zone.mailbox().wire(),
      .serial = zone.serial(),
      .refresh_seconds = zone.config().refresh_seconds,
      .retry_seconds = zone.config().retry_seconds,
      .expire_seconds = zone.config().expire_seconds,
      .negative_ttl_seconds = zone.config().negative_ttl_seconds,
  };
}

// Fills answer and authority for one question inside the zone.
class Resolver {
 public:
  Resolver(const Query& query, const Zone& zone, std::uint64_t rotation, MessageWriter& writer)
      : query_(query), zone_(zone), rotation_(rotation), writer_(writer) {}

  // Follows aliases inside the zone; the outcome is that of the last name (RFC 6604).
  Rcode resolve() {
    const Name asked = query_.name.lowered();
    std::string_view owner = query_.name.wire();
    std::string_view key = asked.wire();
    for (int link = 0; link <= kMaxAliasChain; ++link) {
      if (!zone_.contains(key)) {
        return Rcode::kNoError;  // an alias that leaves the zone ends here
      }
      const ZoneNode* node = zone_.find(key);
      if (node == nullptr) {
        add_negative_soa();
        return Rcode::kNxDomain;
      }
      const Name* target = alias_target(*node);
      if (target == nullptr) {
        add_data(owner, key, *node);
        return Rcode::kNoError;
      }
      fits_ = fits_ && writer_.add_cname(Section::kAnswer, owner, node->records->ttl_seconds,
                                         target->wire());
      if (query_.type == Type::kCname || query_.type == Type::kAny) {
        return Rcode::kNoError;
      }
      owner = key = target->wire();
    }
    writer_.drop_records();
    return Rcode::kServFail;
  }

  bool fits() const { return fits_; }

 private:
  const Name* alias_target(const ZoneNode& node) const {
    if (node.records == nullptr || node.records->targets.empty()) {
      return nullptr;
    }
    const auto& targets = node.records->targets;
    switch (node.records->kind) {
      case NameRecord::Kind::kAddress:
        return nullptr;
      case NameRecord::Kind::kAlias:
        return &targets[0];
      case NameRecord::Kind::kRotating:
        return &targets[rotation_ % targets.size()];
    }
    return nullptr;
  }

  void add_data(std::string_view owner, std::string_view key, const ZoneNode& node) {
    bool found = zone_.is_apex(key) && add_apex_data(owner);
    const bool wants_a = query_.type == Type::kA || query_.type == Type::kAny;
    if (wants_a && node.records != nullptr && !node.records->addresses.empty()) {
      add_addresses(owner, *node.records);
      found = true;
    }
    if (!found) {
      add_negative_soa();
    }
  }

  bool add_apex_data(std::string_view owner) {
    const std::uint32_t ttl = zone_.config().ttl_seconds;
    const bool any = query_.type == Type::kAny;
    if (any || query_.type == Type::kSoa) {
      fits_ = fits_ && writer_.add_soa(Section::kAnswer, owner, ttl, soa_of(zone_));
    }
    if (any || query_.type == Type::kNs) {
      fits_ = fits_ && writer_.add_ns(Section::kAnswer, owner, ttl, zone_.name_server().wire());
    }
    if (query_.type == Type::kTxt) {
      char text[64];
      const auto end = fmt::format_to_n(text, sizeof text, "serial={} names={}", zone_.serial(),
                                        zone_.name_count());
      fits_ = fits_ && writer_.add_txt(Section::kAnswer, owner, 0, {text, end.size});
    }
    if (query_.type == Type::kNs) {
      add_glue();
    }
    return any || query_.type == Type::kSoa || query_.type == Type::kNs ||
           query_.type == Type::kTxt;
  }

  // A help, not a part of the answer: it may be missing when the message is full.
  void add_glue() {
    const std::string_view host = zone_.name_server().wire();
    const ZoneNode* node = zone_.find(host);
    if (node == nullptr || node->records == nullptr) {
      return;
    }
    for (const Ipv4 address : node->records->addresses) {
      if (!writer_.add_a(Section::kAdditional, host, node->records->ttl_seconds, address)) {
        return;
      }
    }
  }

  void add_addresses(std::string_view owner, const RecordSet& records) {
    const std::size_t count = records.addresses.size();
    const std::size_t wanted = records.kind == NameRecord::Kind::kRotating ? 1 : count;
    for (std::size_t i = 0; i < wanted && fits_; ++i) {
      const Ipv4 address = records.addresses[(rotation_ + i) % count];
      fits_ = writer_.add_a(Section::kAnswer, owner, records.ttl_seconds, address);
    }
  }

  // RFC 2308: the time to remember "no" is the TTL of this record.
  void add_negative_soa() {
    fits_ = fits_ && writer_.add_soa(Section::kAuthority, zone_.apex().wire(),
                                     zone_.config().negative_ttl_seconds, soa_of(zone_));
  }

  const Query& query_;
  const Zone& zone_;
  const std::uint64_t rotation_;
  MessageWriter& writer_;
  bool fits_ = true;
};

// Opcode, RD and CD are echoed; everything else is ours.
std::uint16_t response_flags(const Query& query) {
  return flag::kResponse | (query.header.flags & (flag::kOpcodeMask | flag::kRecursionDesired |
                                                  flag::kCheckingDisabled));
}

std::size_t size_limit(const Query& query, Transport transport) {
  if (transport == Transport::kTcp) {
    return codec::dns::kTcpLimit;
  }
  if (!query.edns) {
    return codec::dns::kPlainUdpLimit;
  }
  return std::clamp(std::size_t{query.edns->udp_size}, codec::dns::kPlainUdpLimit,
                    codec::dns::kEdnsUdpLimit);
}

// Why the question is refused before its name is looked up, or nullopt.
std::optional<Rcode> refusal(const Query& query, const Zone* zone) {
  if (query.edns && query.edns->version > 0) {
    return Rcode::kBadVers;
  }
  if (zone == nullptr) {
    return Rcode::kServFail;
  }
  if (query.question_class != Class::kIn && query.question_class != Class::kAny) {
    return Rcode::kRefused;
  }
  // The zone is no secret, but it is handed out by the API, not by transfer.
  if (query.type == Type::kAxfr || query.type == Type::kIxfr) {
    return Rcode::kRefused;
  }
  if (!zone->contains(query.name.lowered().wire())) {
    return Rcode::kRefused;
  }
  return std::nullopt;
}

}  // namespace

Answer answer(std::span<const std::uint8_t> message, const Zone* zone, std::uint64_t rotation,
              Transport transport, std::span<std::uint8_t> out) {
  Query query;
  const QueryStatus status = codec::dns::parse_query(message, query);
  if (status == QueryStatus::kDrop) {
    return {};
  }
  MessageWriter writer(out);
  writer.set_header(query.header.id, response_flags(query));
  if (status != QueryStatus::kOk) {
    const Rcode rcode = status == QueryStatus::kNotImp ? Rcode::kNotImp : Rcode::kFormErr;
    writer.set_rcode(rcode);
    return Answer{writer.size(), rcode};
  }

  const std::size_t limit = std::min(size_limit(query, transport), out.size());
  writer.set_limit(limit - (query.edns ? codec::dns::kOptSize : 0));
  writer.add_question(query.name.wire(), query.type, query.question_class);
  Answer result;
  if (const auto refused = refusal(query, zone)) {
    result.rcode = *refused;
  } else {
    Resolver resolver(query, *zone, rotation, writer);
    result.rcode = resolver.resolve();
    writer.add_flags(flag::kAuthoritative);
    result.truncated = !resolver.fits();
  }
  if (result.truncated) {
    writer.drop_records();
    writer.add_flags(flag::kTruncated);
  }
  writer.set_rcode(result.rcode);
  if (query.edns) {
    writer.set_limit(limit);
    writer.add_opt(
        Edns{.udp_size = codec::dns::kEdnsUdpLimit,
             .extended_rcode = static_cast<std::uint8_t>(static_cast<unsigned>(result.rcode) >> 4),
             .dnssec_ok = query.edns->dnssec_ok});
  }
  result.size = writer.size();
  return result;
}

}  // namespace hikae::dns
