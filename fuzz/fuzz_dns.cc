// The DNS path with any bytes as the query: parsing is safe, and every answer is within the size
// that its transport allows, carries the query's id, and is whole for our own reader.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/check.h"
#include "codec/dns/message.h"
#include "dns/answer.h"

namespace {

using hikae::Ipv4;
using hikae::core::NameRecord;
using hikae::dns::Transport;
using hikae::dns::Zone;
namespace wire = hikae::codec::dns;

Zone make_zone() {
  std::vector<NameRecord> records;
  records.push_back(NameRecord{"n1.x.cache.test", NameRecord::Kind::kAddress, {Ipv4(1)}, {}, 5});
  records.push_back(NameRecord{"n2.x.cache.test", NameRecord::Kind::kAddress, {Ipv4(2)}, {}, 5});
  records.push_back(NameRecord{"p.cache.test", NameRecord::Kind::kAlias, {}, {"n1.x.cache.test"}});
  records.push_back(NameRecord{
      "ro.cache.test", NameRecord::Kind::kRotating, {}, {"n1.x.cache.test", "n2.x.cache.test"}});
  records.push_back(NameRecord{"out.cache.test", NameRecord::Kind::kAlias, {}, {"example.com"}});
  records.push_back(
      NameRecord{"loop.cache.test", NameRecord::Kind::kAlias, {}, {"loop.cache.test"}});
  records.push_back(
      NameRecord{"big.cache.test", NameRecord::Kind::kAddress, std::vector<Ipv4>(100), {}, 5});
  hikae::dns::ZoneConfig config;
  config.apex = "cache.test";
  config.name_server_addresses = {Ipv4(3)};
  return Zone::create(config)->with_changes(records, {}, 1);
}

// The whole message is made of the records its header counts.
void check_whole(std::span<const std::uint8_t> message) {
  const auto header = wire::read_header(message);
  HIKAE_CHECK(header && header->is_response());
  std::size_t at = wire::kHeaderSize;
  for (int i = 0; i < header->question_count; ++i) {
    wire::Name name;
    wire::Type type;
    wire::Class question_class;
    const auto next = wire::read_question(message, at, name, type, question_class);
    HIKAE_CHECK(next);
    at = *next;
  }
  const int records = header->answer_count + header->authority_count + header->additional_count;
  for (int i = 0; i < records; ++i) {
    wire::RecordView record;
    const auto next = wire::read_record(message, at, record);
    HIKAE_CHECK(next);
    if (record.type == wire::Type::kCname || record.type == wire::Type::kNs) {
      wire::Name target;
      HIKAE_CHECK(wire::read_name(message, record.data_offset, target) == *next);
    }
    at = *next;
  }
  HIKAE_CHECK(at == message.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Zone zone = make_zone();
  static std::array<std::uint8_t, wire::kTcpLimit> out;
  const std::span<const std::uint8_t> query(data, size);
  wire::Query parsed;
  const wire::QueryStatus status = wire::parse_query(query, parsed);
  for (const Transport transport : {Transport::kUdp, Transport::kTcp}) {
    const auto result = hikae::dns::answer(query, &zone, size, transport, out);
    HIKAE_CHECK((result.size == 0) == (status == wire::QueryStatus::kDrop));
    if (result.size == 0) {
      continue;
    }
    const bool edns = status == wire::QueryStatus::kOk && parsed.edns;
    const std::size_t udp_limit = edns ? wire::kEdnsUdpLimit : wire::kPlainUdpLimit;
    HIKAE_CHECK(transport == Transport::kTcp || result.size <= udp_limit);
    HIKAE_CHECK(out[0] == data[0] && out[1] == data[1]);
    check_whole(std::span(out).first(result.size));
  }
  return 0;
}
