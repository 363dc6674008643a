#include "dns/answer.h"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "codec/dns/writer.h"

namespace hikae::dns {
namespace {

using codec::dns::Class;
using codec::dns::Edns;
using codec::dns::Header;
using codec::dns::MessageWriter;
using codec::dns::Name;
using codec::dns::Rcode;
using codec::dns::RecordView;
using codec::dns::Section;
using codec::dns::Type;
using core::NameRecord;
namespace flag = codec::dns::flag;

using Bytes = std::vector<std::uint8_t>;

constexpr std::string_view kPrimary = "foo.abcdef.ng.0001.apne1.cache.hikae.internal";
constexpr std::string_view kReader = "foo-ro.abcdef.ng.0001.apne1.cache.hikae.internal";

std::string node(int number) {
  return "foo-00" + std::to_string(number) + ".abcdef.0001.apne1.cache.hikae.internal";
}

Ipv4 ip(std::string_view text) {
  return Ipv4::parse(text).value();
}

NameRecord address(std::string name, std::vector<Ipv4> addresses) {
  return NameRecord{std::move(name), NameRecord::Kind::kAddress, std::move(addresses), {}, 15};
}

NameRecord alias(std::string_view name, std::string target) {
  return NameRecord{std::string(name), NameRecord::Kind::kAlias, {}, {std::move(target)}, 5};
}

Zone sample_zone() {
  ZoneConfig config;
  config.apex = "cache.hikae.internal";
  config.name_server_addresses = {ip("127.0.0.153")};
  std::vector<NameRecord> records;
  for (int i = 1; i <= 3; ++i) {
    records.push_back(address(node(i), {ip("127.64.0." + std::to_string(i))}));
  }
  records.push_back(alias(kPrimary, node(1)));
  records.push_back(
      NameRecord{std::string(kReader), NameRecord::Kind::kRotating, {}, {node(2), node(3)}, 5});
  return Zone::create(config)->with_changes(records, {}, 42);
}

struct Reply {
  Header header;
  std::string question;
  struct Record {
    std::string owner;
    Type type = Type::kA;
    std::uint32_t ttl = 0;
    std::string data;  // an address or the first name
  };
  std::vector<Record> answer;
  std::vector<Record> authority;
  std::vector<Record> additional;
  std::optional<Edns> edns;
  std::size_t size = 0;

  Rcode rcode() const {
    const auto upper = edns ? edns->extended_rcode : 0;
    return Rcode(static_cast<unsigned>(header.rcode()) | static_cast<unsigned>(upper) << 4);
  }
  bool has(std::uint16_t bits) const { return (header.flags & bits) != 0; }
};

Reply::Record describe(const Bytes& message, const RecordView& record) {
  Reply::Record out{record.owner.str(), record.type, record.ttl_seconds, {}};
  if (record.type == Type::kA) {
    const auto& d = record.data;
    out.data = Ipv4(std::uint32_t{d[0]} << 24 | d[1] << 16 | d[2] << 8 | d[3]).str();
  } else if (record.type == Type::kTxt) {
    out.data.assign(record.data.begin() + 1, record.data.end());
  } else {
    Name name;
    EXPECT_TRUE(read_name(message, record.data_offset, name));
    out.data = name.str();
  }
  return out;
}

Reply read_reply(const Bytes& message) {
  Reply reply;
  reply.size = message.size();
  reply.header = codec::dns::read_header(message).value();
  std::size_t at = codec::dns::kHeaderSize;
  if (reply.header.question_count == 1) {
    Name name;
    Type type;
    Class question_class;
    at = read_question(message, at, name, type, question_class).value();
    reply.question = name.str();
  }
  const int counts[] = {reply.header.answer_count, reply.header.authority_count,
                        reply.header.additional_count};
  std::vector<Reply::Record>* sections[] = {&reply.answer, &reply.authority, &reply.additional};
  for (int section = 0; section < 3; ++section) {
    for (int i = 0; i < counts[section]; ++i) {
      RecordView record;
      at = read_record(message, at, record).value();
      if (record.type == Type::kOpt) {
        reply.edns = codec::dns::read_edns(record);
      } else {
        sections[section]->push_back(describe(message, record));
      }
    }
  }
  EXPECT_EQ(at, message.size());
  return reply;
}

Bytes make_query(std::string_view name, Type type, std::optional<Edns> edns = {},
                 Class question_class = Class::kIn) {
  Bytes buffer(codec::dns::kPlainUdpLimit);
  MessageWriter writer(buffer);
  writer.set_header(0xBEEF, flag::kRecursionDesired);
  writer.add_question(Name::parse(name)->wire(), type, question_class);
  if (edns) {
    writer.add_opt(*edns);
  }
  buffer.resize(writer.size());
  return buffer;
}

Reply ask_bytes(const Zone& zone, const Bytes& query, std::uint64_t rotation = 0,
                Transport transport = Transport::kUdp) {
  Bytes out(codec::dns::kTcpLimit);
  const Answer result = answer(query, &zone, rotation, transport, out);
  out.resize(result.size);
  Reply reply = read_reply(out);
  EXPECT_EQ(reply.rcode(), result.rcode);
  return reply;
}

Reply ask(const Zone& zone, std::string_view name, Type type = Type::kA,
          std::uint64_t rotation = 0) {
  return ask_bytes(zone, make_query(name, type), rotation);
}

TEST(Answer, PrimaryEndpointIsAnAliasWithTheAddressBeside) {
  const Zone zone = sample_zone();
  const Reply reply = ask(zone, kPrimary);
  EXPECT_EQ(reply.rcode(), Rcode::kNoError);
  EXPECT_EQ(reply.header.id, 0xBEEF);
  EXPECT_TRUE(reply.has(flag::kAuthoritative));
  EXPECT_TRUE(reply.has(flag::kRecursionDesired));
  ASSERT_EQ(reply.answer.size(), 2u);
  EXPECT_EQ(reply.answer[0].type, Type::kCname);
  EXPECT_EQ(reply.answer[0].owner, kPrimary);
  EXPECT_EQ(reply.answer[0].data, node(1));
  EXPECT_EQ(reply.answer[0].ttl, 5u);
  EXPECT_EQ(reply.answer[1].owner, node(1));
  EXPECT_EQ(reply.answer[1].data, "127.64.0.1");
  EXPECT_EQ(reply.answer[1].ttl, 15u);
}

TEST(Answer, FlipOfAnAliasIsOneChange) {
  const Zone before = sample_zone();
  const Zone after = before.with_changes({alias(kPrimary, node(2))}, {}, 43);
  EXPECT_EQ(ask(after, kPrimary).answer.at(1).data, "127.64.0.2");
  EXPECT_EQ(ask(before, kPrimary).answer.at(1).data, "127.64.0.1") << "a zone never changes";
  EXPECT_EQ(after.serial(), 43u);
  EXPECT_EQ(after.name_count(), before.name_count());
}

TEST(Answer, ReaderEndpointTakesTurns) {
  const Zone zone = sample_zone();
  std::vector<std::string> seen;
  for (std::uint64_t rotation = 0; rotation < 4; ++rotation) {
    const Reply reply = ask(zone, kReader, Type::kA, rotation);
    ASSERT_EQ(reply.answer.size(), 2u);
    seen.push_back(reply.answer[1].data);
  }
  EXPECT_EQ(seen,
            (std::vector<std::string>{"127.64.0.2", "127.64.0.3", "127.64.0.2", "127.64.0.3"}));
}

TEST(Answer, RotatingAddressesAndSetsOfAddresses) {
  NameRecord turning = address("turn.cache.hikae.internal", {ip("127.0.0.1"), ip("127.0.0.2")});
  turning.kind = NameRecord::Kind::kRotating;
  const Zone zone = sample_zone().with_changes(
      {turning, address("all.cache.hikae.internal", {ip("127.0.0.1"), ip("127.0.0.2")})}, {}, 2);
  ASSERT_EQ(ask(zone, turning.name, Type::kA, 1).answer.size(), 1u);
  EXPECT_EQ(ask(zone, turning.name, Type::kA, 1).answer[0].data, "127.0.0.2");
  const Reply all = ask(zone, "all.cache.hikae.internal", Type::kA, 1);
  ASSERT_EQ(all.answer.size(), 2u);
  EXPECT_EQ(all.answer[0].data, "127.0.0.2") << "the order moves on";
}

TEST(Answer, CaseOfTheQuestionIsKept) {
  const std::string mixed = "FoO.aBcDeF.ng.0001.ApNe1.Cache.HIKAE.internal";
  const Reply reply = ask(sample_zone(), mixed);
  EXPECT_EQ(reply.question, mixed);
  ASSERT_EQ(reply.answer.size(), 2u);
  EXPECT_EQ(reply.answer[0].owner, mixed);
  EXPECT_EQ(reply.answer[1].data, "127.64.0.1");
}

TEST(Answer, WhatDoesNotExist) {
  const Zone zone = sample_zone();
  const Reply missing = ask(zone, "bar.abcdef.ng.0001.apne1.cache.hikae.internal");
  EXPECT_EQ(missing.rcode(), Rcode::kNxDomain);
  EXPECT_TRUE(missing.has(flag::kAuthoritative));
  ASSERT_EQ(missing.authority.size(), 1u);
  EXPECT_EQ(missing.authority[0].type, Type::kSoa);
  EXPECT_EQ(missing.authority[0].owner, "cache.hikae.internal");
  EXPECT_EQ(missing.authority[0].ttl, 1u);
  const Reply below = ask(zone, "x." + node(1));
  EXPECT_EQ(below.rcode(), Rcode::kNxDomain) << "below a name that exists";
}

TEST(Answer, NoDataForOtherTypesAndEmptyNonTerminals) {
  const Zone zone = sample_zone();
  for (const auto& [name, type] : {std::pair<std::string, Type>{node(1), Type::kAaaa},
                                   {std::string(node(1)), Type::kNs},
                                   {"ng.0001.apne1.cache.hikae.internal", Type::kA},
                                   {"apne1.cache.hikae.internal", Type::kSoa},
                                   {"cache.hikae.internal", Type::kA}}) {
    const Reply reply = ask(zone, name, type);
    EXPECT_EQ(reply.rcode(), Rcode::kNoError) << name;
    EXPECT_TRUE(reply.answer.empty()) << name;
    ASSERT_EQ(reply.authority.size(), 1u) << name;
  }
  const Reply alias_aaaa = ask(zone, kPrimary, Type::kAaaa);
  EXPECT_EQ(alias_aaaa.rcode(), Rcode::kNoError);
  EXPECT_EQ(alias_aaaa.answer.size(), 1u) << "the CNAME";
  EXPECT_EQ(alias_aaaa.authority.size(), 1u);
}

TEST(Answer, EmptyNonTerminalsComeAndGo) {
  const std::string deep = "a.b.c.cache.hikae.internal";
  const Zone with = sample_zone().with_changes({address(deep, {ip("127.0.0.1")})}, {}, 2);
  EXPECT_EQ(ask(with, "c.cache.hikae.internal").rcode(), Rcode::kNoError);
  // Set again: counted once.
  const Zone again = with.with_changes({address(deep, {ip("127.0.0.2")})}, {}, 3);
  const Zone without = again.with_changes({}, {deep, deep, "never.cache.hikae.internal"}, 4);
  EXPECT_EQ(ask(without, deep).rcode(), Rcode::kNxDomain);
  EXPECT_EQ(ask(without, "c.cache.hikae.internal").rcode(), Rcode::kNxDomain);
  EXPECT_EQ(without.name_count(), sample_zone().name_count());
  EXPECT_EQ(ask(without, "apne1.cache.hikae.internal").rcode(), Rcode::kNoError);
}

TEST(Answer, ApexRecords) {
  const Zone zone = sample_zone();
  const Reply soa = ask(zone, "cache.hikae.internal", Type::kSoa);
  ASSERT_EQ(soa.answer.size(), 1u);
  EXPECT_EQ(soa.answer[0].data, "ns.cache.hikae.internal");
  const Reply ns = ask(zone, "cache.hikae.internal", Type::kNs);
  ASSERT_EQ(ns.answer.size(), 1u);
  EXPECT_EQ(ns.answer[0].data, "ns.cache.hikae.internal");
  ASSERT_EQ(ns.additional.size(), 1u);
  EXPECT_EQ(ns.additional[0].data, "127.0.0.153");
  EXPECT_EQ(ask(zone, "cache.hikae.internal", Type::kTxt).answer.at(0).data, "serial=42 names=6");
  EXPECT_EQ(ask(zone, "cache.hikae.internal", Type::kAny).answer.size(), 2u);
  EXPECT_EQ(ask(zone, kPrimary, Type::kAny).answer.size(), 1u);
}

TEST(Answer, Refusals) {
  const Zone zone = sample_zone();
  for (const std::string_view name :
       {"example.com", "hikae.internal", "xcache.hikae.internal", ".", "internal"}) {
    const Reply reply = ask(zone, name);
    EXPECT_EQ(reply.rcode(), Rcode::kRefused) << name;
    EXPECT_FALSE(reply.has(flag::kAuthoritative)) << name;
  }
  EXPECT_EQ(ask(zone, "cache.hikae.internal", Type::kAxfr).rcode(), Rcode::kRefused);
  EXPECT_EQ(ask(zone, "cache.hikae.internal", Type::kIxfr).rcode(), Rcode::kRefused);
  EXPECT_EQ(ask_bytes(zone, make_query(kPrimary, Type::kA, {}, Class(3))).rcode(), Rcode::kRefused);
}

TEST(Answer, BrokenMessages) {
  const Zone zone = sample_zone();
  Bytes update = make_query(kPrimary, Type::kA);
  update[2] = 0x28;
  EXPECT_EQ(ask_bytes(zone, update).rcode(), Rcode::kNotImp);
  Bytes cut = make_query(kPrimary, Type::kA);
  cut.pop_back();
  EXPECT_EQ(ask_bytes(zone, cut).rcode(), Rcode::kFormErr);
  Bytes out(codec::dns::kTcpLimit);
  Bytes response = make_query(kPrimary, Type::kA);
  response[2] |= 0x80;
  EXPECT_EQ(answer(response, &zone, 0, Transport::kUdp, out).size, 0u);
  EXPECT_EQ(answer(Bytes(11), &zone, 0, Transport::kUdp, out).size, 0u);
  EXPECT_EQ(answer(make_query(kPrimary, Type::kA), nullptr, 0, Transport::kUdp, out).rcode,
            Rcode::kServFail);
}

TEST(Answer, EdnsVersionAndFlags) {
  const Zone zone = sample_zone();
  const Reply plain = ask(zone, kPrimary);
  EXPECT_FALSE(plain.edns);
  const Reply edns =
      ask_bytes(zone, make_query(kPrimary, Type::kA, Edns{.udp_size = 4096, .dnssec_ok = true}));
  ASSERT_TRUE(edns.edns);
  EXPECT_EQ(edns.edns->udp_size, 1232);
  EXPECT_TRUE(edns.edns->dnssec_ok);
  const Reply future =
      ask_bytes(zone, make_query(kPrimary, Type::kA, Edns{.udp_size = 4096, .version = 1}));
  EXPECT_EQ(future.rcode(), Rcode::kBadVers);
  EXPECT_EQ(future.edns->version, 0);
  EXPECT_TRUE(future.answer.empty());
}

TEST(Answer, TooLongForADatagramIsTruncated) {
  std::vector<Ipv4> many;
  for (std::uint32_t i = 0; i < 200; ++i) {
    many.push_back(Ipv4(0x7F400000 + i));
  }
  const Zone zone = sample_zone().with_changes({address("big.cache.hikae.internal", many)}, {}, 2);
  const Bytes plain = make_query("big.cache.hikae.internal", Type::kA);
  const Bytes edns = make_query("big.cache.hikae.internal", Type::kA, Edns{.udp_size = 65535});
  for (const Bytes& query : {plain, edns}) {
    const Reply udp = ask_bytes(zone, query);
    EXPECT_TRUE(udp.has(flag::kTruncated));
    EXPECT_TRUE(udp.answer.empty());
    EXPECT_EQ(udp.question, "big.cache.hikae.internal");
    const Reply tcp = ask_bytes(zone, query, 0, Transport::kTcp);
    EXPECT_FALSE(tcp.has(flag::kTruncated));
    EXPECT_EQ(tcp.answer.size(), 200u);
  }
  // 60 addresses take more than 512 bytes and less than 1232.
  const Zone medium = zone.with_changes(
      {address("big.cache.hikae.internal", {many.begin(), many.begin() + 60})}, {}, 3);
  EXPECT_TRUE(ask_bytes(medium, plain).has(flag::kTruncated));
  EXPECT_EQ(ask_bytes(medium, edns).answer.size(), 60u);
}

TEST(Answer, AliasesOutOfTheZoneLoopsAndDanglingOnes) {
  const Zone zone = sample_zone().with_changes(
      {alias("out.cache.hikae.internal", "example.com"),
       alias("dangling.cache.hikae.internal", "gone.cache.hikae.internal"),
       alias("a.cache.hikae.internal", "b.cache.hikae.internal"),
       alias("b.cache.hikae.internal", "a.cache.hikae.internal")},
      {}, 2);
  const Reply out = ask(zone, "out.cache.hikae.internal");
  EXPECT_EQ(out.rcode(), Rcode::kNoError);
  EXPECT_EQ(out.answer.size(), 1u);
  const Reply dangling = ask(zone, "dangling.cache.hikae.internal");
  EXPECT_EQ(dangling.rcode(), Rcode::kNxDomain);
  EXPECT_EQ(dangling.answer.size(), 1u);
  const Reply loop = ask(zone, "a.cache.hikae.internal");
  EXPECT_EQ(loop.rcode(), Rcode::kServFail);
  EXPECT_TRUE(loop.answer.empty());
}

TEST(Zone, RefusesWhatCannotBeServed) {
  EXPECT_FALSE(Zone::create(ZoneConfig{.apex = ""}));
  EXPECT_FALSE(Zone::create(ZoneConfig{.apex = "."}));
  EXPECT_FALSE(Zone::create(ZoneConfig{.apex = "a..b"}));
  const std::string label(60, 'a');
  EXPECT_FALSE(Zone::create(ZoneConfig{.apex = label + "." + label + "." + label}));
  const Zone zone = sample_zone().with_changes(
      {address("example.com", {}), address("a..cache.hikae.internal", {}),
       alias("cache.hikae.internal", "a.cache.hikae.internal"),
       alias("b.cache.hikae.internal", "b..c"),
       NameRecord{"c.cache.hikae.internal", NameRecord::Kind::kAlias, {}, {}, 5}},
      {}, 2);
  EXPECT_EQ(zone.rejected().size(), 5u);
  EXPECT_EQ(zone.name_count(), sample_zone().name_count());
}

// A reader endpoint whose replicas are all gone exists and has no data.
TEST(Zone, RecordWithoutDataIsNoData) {
  const Zone zone = sample_zone().with_changes(
      {NameRecord{std::string(kReader), NameRecord::Kind::kRotating, {}, {}, 5}}, {}, 2);
  const Reply reply = ask(zone, kReader);
  EXPECT_EQ(reply.rcode(), Rcode::kNoError);
  EXPECT_TRUE(reply.answer.empty());
  EXPECT_EQ(reply.authority.size(), 1u);
}

}  // namespace
}  // namespace hikae::dns
