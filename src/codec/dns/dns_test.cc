#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "codec/dns/message.h"
#include "codec/dns/name.h"
#include "codec/dns/writer.h"

namespace hikae::codec::dns {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes bytes_of(std::string_view text) {
  return Bytes(text.begin(), text.end());
}

Name name(std::string_view text) {
  return Name::parse(text).value();
}

// A query with the given question section and additional section.
Bytes query_bytes(std::string_view question, int additional_count = 0,
                  std::string_view additional = {}) {
  Bytes message{0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, std::uint8_t(additional_count)};
  message.insert(message.end(), question.begin(), question.end());
  message.insert(message.end(), additional.begin(), additional.end());
  return message;
}

constexpr std::string_view kQuestion("\3fOo\5hikae\0\0\1\0\1", 15);
constexpr std::string_view kOpt("\0\0\x29\x10\0\0\0\x80\0\0\0", 11);

TEST(Name, TextAndWireForm) {
  EXPECT_EQ(name("Foo.example").wire(), std::string_view("\3Foo\7example\0", 13));
  EXPECT_EQ(name("foo.example.").str(), "foo.example");
  EXPECT_EQ(name("FOO.Example").lowered().str(), "foo.example");
  EXPECT_EQ(name(".").str(), ".");
  EXPECT_EQ(parent_of(name("a.b").wire()), name("b").wire());
}

TEST(Name, RefusesWhatDoesNotFitTheWire) {
  EXPECT_FALSE(Name::parse(""));
  EXPECT_FALSE(Name::parse("a..b"));
  EXPECT_FALSE(Name::parse(".a"));
  EXPECT_TRUE(Name::parse(std::string(63, 'a')));
  EXPECT_FALSE(Name::parse(std::string(64, 'a')));
  const std::string l62(62, 'a');  // 63 bytes each: 4 labels make 252, and the root 253
  const std::string longest = l62 + "." + l62 + "." + l62 + "." + l62;
  EXPECT_EQ(name(longest + ".b").wire().size(), 255u);
  EXPECT_FALSE(Name::parse(longest + ".bc"));
}

TEST(Name, PointersGoBackwardsOnly) {
  Bytes message(kHeaderSize, 0);
  const auto tail = bytes_of(std::string_view("\1a\0\1b\xC0\x0C\xC0\x13", 9));
  message.insert(message.end(), tail.begin(), tail.end());
  Name out;
  EXPECT_EQ(read_name(message, 15, out), 19u);
  EXPECT_EQ(out.str(), "b.a");
  EXPECT_FALSE(read_name(message, 19, out)) << "points at itself";
  message[18] = 4;
  EXPECT_FALSE(read_name(message, 15, out)) << "points into the header";
  message[18] = 15;
  EXPECT_FALSE(read_name(message, 15, out)) << "points at its own name: a loop";
  EXPECT_FALSE(read_name(message, message.size(), out));
}

TEST(Name, LongPointerChainsAreRefused) {
  Bytes message(kHeaderSize, 0);
  message.push_back(0);
  message.push_back(0);
  std::size_t previous = 12;
  for (int i = 0; i < kMaxPointerHops + 1; ++i) {
    const std::size_t here = message.size();
    message.push_back(static_cast<std::uint8_t>(0xC0 | previous >> 8));
    message.push_back(static_cast<std::uint8_t>(previous));
    previous = here;
  }
  Name out;
  EXPECT_FALSE(read_name(message, previous, out));
  EXPECT_TRUE(read_name(message, previous - 2, out));
}

TEST(ParseQuery, ReadsQuestionAndEdns) {
  Query query;
  ASSERT_EQ(parse_query(query_bytes(kQuestion, 1, kOpt), query), QueryStatus::kOk);
  EXPECT_EQ(query.header.id, 0x1234);
  EXPECT_EQ(query.name.str(), "fOo.hikae");
  EXPECT_EQ(query.type, Type::kA);
  ASSERT_TRUE(query.edns);
  EXPECT_EQ(query.edns->udp_size, 4096);
  EXPECT_TRUE(query.edns->dnssec_ok);
}

TEST(ParseQuery, TellsBrokenFromUnanswerable) {
  Query query;
  Bytes message = query_bytes(kQuestion);
  EXPECT_EQ(parse_query(std::span(message).first(11), query), QueryStatus::kDrop);
  for (std::size_t size = kHeaderSize; size < message.size(); ++size) {
    EXPECT_EQ(parse_query(std::span(message).first(size), query), QueryStatus::kFormErr) << size;
  }
  message[2] |= 0x80;
  EXPECT_EQ(parse_query(message, query), QueryStatus::kDrop) << "a response";
  message[2] = 0x28;
  EXPECT_EQ(parse_query(message, query), QueryStatus::kNotImp) << "opcode UPDATE";
  EXPECT_EQ(parse_query(query_bytes(std::string(kQuestion) + "x"), query), QueryStatus::kFormErr);
  Bytes two_questions = query_bytes(std::string(kQuestion) + std::string(kQuestion));
  two_questions[5] = 2;
  EXPECT_EQ(parse_query(two_questions, query), QueryStatus::kFormErr);
  const std::string two_opts = std::string(kOpt) + std::string(kOpt);
  EXPECT_EQ(parse_query(query_bytes(kQuestion, 2, two_opts), query), QueryStatus::kFormErr);
}

TEST(MessageWriter, CompressesAgainstTheQuestionAndKeepsItsCase) {
  Bytes buffer(kPlainUdpLimit);
  MessageWriter writer(buffer);
  writer.set_header(7, flag::kResponse);
  const Name asked = name("Primary.Cache.Example");
  ASSERT_TRUE(writer.add_question(asked.wire(), Type::kA, Class::kIn));
  const std::size_t question_end = writer.size();
  ASSERT_TRUE(
      writer.add_cname(Section::kAnswer, asked.wire(), 5, name("node-001.cache.example").wire()));
  // owner 2, fixed 10, label node-001 9, pointer 2
  EXPECT_EQ(writer.size() - question_end, 23u);
  RecordView record;
  ASSERT_TRUE(read_record(buffer, question_end, record));
  EXPECT_EQ(record.owner.str(), "Primary.Cache.Example");
  EXPECT_EQ(record.ttl_seconds, 5u);
  Name target;
  ASSERT_TRUE(read_name(buffer, record.data_offset, target));
  EXPECT_EQ(target.str(), "node-001.Cache.Example");
}

TEST(MessageWriter, ARecordThatDoesNotFitLeavesTheMessageAlone) {
  Bytes buffer(kPlainUdpLimit);
  MessageWriter writer(buffer);
  const Name asked = name("a.example");
  ASSERT_TRUE(writer.add_question(asked.wire(), Type::kA, Class::kIn));
  int added = 0;
  while (writer.add_a(Section::kAnswer, asked.wire(), 5, Ipv4(0x7F000001))) {
    ++added;
  }
  EXPECT_EQ(added, int((512 - 12 - 15) / 16));
  EXPECT_EQ(read_header(buffer)->answer_count, added);
  const std::size_t full = writer.size();
  EXPECT_FALSE(writer.add_txt(Section::kAnswer, name("other.example").wire(), 1, "text"));
  EXPECT_EQ(writer.size(), full);
  writer.drop_records();
  EXPECT_EQ(read_header(buffer)->answer_count, 0);
  EXPECT_TRUE(writer.add_txt(Section::kAnswer, name("other.example").wire(), 1, "text"));
}

rc::Gen<std::string> any_name() {
  const auto label =
      rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::elementOf(std::string("abXY-0"))));
  return rc::gen::map(rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(label)),
                      [](const std::vector<std::string>& labels) {
                        std::string text;
                        for (std::size_t i = 0; i < std::min<std::size_t>(labels.size(), 6); ++i) {
                          text += (i ? "." : "") + labels[i].substr(0, 20);
                        }
                        return text;
                      });
}

// Whatever names follow one another, compression loses nothing but the case.
RC_GTEST_PROP(MessageWriterProperty, NamesSurviveCompression, ()) {
  const auto names = *rc::gen::resize(20, rc::gen::container<std::vector<std::string>>(any_name()));
  Bytes buffer(kTcpLimit);
  MessageWriter writer(buffer);
  RC_ASSERT(writer.add_question(name("cache.example").wire(), Type::kA, Class::kIn));
  std::size_t at = writer.size();
  for (const auto& text : names) {
    RC_ASSERT(writer.add_ns(Section::kAnswer, name(text).wire(), 1, name("ns." + text).wire()));
  }
  for (const auto& text : names) {
    RecordView record;
    const auto next = read_record(std::span(buffer).first(writer.size()), at, record);
    RC_ASSERT(next.has_value());
    Name host;
    RC_ASSERT(read_name(buffer, record.data_offset, host).has_value());
    RC_ASSERT(equal_labels(record.owner.wire(), name(text).wire()));
    RC_ASSERT(equal_labels(host.wire(), name("ns." + text).wire()));
    at = *next;
  }
  RC_ASSERT(at == writer.size());
}

RC_GTEST_PROP(ParseQueryProperty, AnyBytesAreSafe, (const Bytes& tail)) {
  Bytes message = query_bytes("");
  message.insert(message.end(), tail.begin(), tail.end());
  Query query;
  const auto status = parse_query(message, query);
  RC_ASSERT(status == QueryStatus::kOk || status == QueryStatus::kFormErr);
}

}  // namespace
}  // namespace hikae::codec::dns
