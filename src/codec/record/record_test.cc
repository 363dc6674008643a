#include "codec/record/record.h"

#include <cstdint>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace hikae::codec {
namespace {

enum class Colour { kRed, kGreen };
using Name = StrongId<struct NameTag>;
using Count = StrongNumber<struct CountTag>;

struct Inner {
  Name name;
  std::optional<int> port;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("name", s.name);
    v("port", s.port);
  }
  friend bool operator==(const Inner&, const Inner&) = default;
};

struct Outer {
  std::string text = "default";
  bool flag = true;
  std::int64_t number = 0;
  std::uint16_t small = 7;
  Colour colour = Colour::kRed;
  Count count;
  Instant at;
  Ipv4 address;
  Cidr network;
  std::optional<Instant> maybe;
  std::vector<Inner> inners;
  std::map<std::string, std::string> tags;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("text", s.text);
    v("flag", s.flag);
    v("number", s.number);
    v("small", s.small);
    v("colour", s.colour);
    v("count", s.count);
    v("at", s.at);
    v("address", s.address);
    v("network", s.network);
    v("maybe", s.maybe);
    v("inners", s.inners);
    v("tags", s.tags);
  }
  friend bool operator==(const Outer&, const Outer&) = default;
};

std::string refusal(std::string_view text) {
  const auto read = from_json<Outer>(text);
  return read ? "accepted" : read.error().message;
}

TEST(Record, WritesFieldsInTheirOrder) {
  Inner inner{Name("a\"b"), 6379};
  EXPECT_EQ(to_json(inner), R"({"name":"a\"b","port":6379})");
  inner.port.reset();
  EXPECT_EQ(to_json(inner), R"({"name":"a\"b","port":null})");
}

TEST(Record, OlderAndNewerRecordsLoad) {
  const auto read = from_json<Outer>(R"({"number":-3,"added_later":{"x":[1]}})");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->number, -3);
  EXPECT_EQ(read->text, "default");
  EXPECT_EQ(read->small, 7);
}

TEST(Record, AWrongTypeIsRefusedByTheNameOfItsField) {
  EXPECT_EQ(refusal(R"({"text":1})"), "text is not a string");
  EXPECT_EQ(refusal(R"({"text":null})"), "text is not a string");
  EXPECT_EQ(refusal(R"({"flag":1})"), "flag is not a boolean");
  EXPECT_EQ(refusal(R"({"number":1.5})"), "number is not an integer in range");
  EXPECT_EQ(refusal(R"({"small":65536})"), "small is not an unsigned integer in range");
  EXPECT_EQ(refusal(R"({"small":-1})"), "small is not an unsigned integer in range");
  EXPECT_EQ(refusal(R"({"address":"10.0.0.256"})"), "address is not an IPv4 address");
  EXPECT_EQ(refusal(R"({"network":"10.0.0.0"})"), "network is not an IPv4 network");
  EXPECT_EQ(refusal(R"({"inners":[{},{"port":"x"}]})"),
            "inners[1].port is not an integer in range");
  EXPECT_EQ(refusal(R"({"tags":{"k":[]}})"), "tags.k is not a string");
  EXPECT_EQ(refusal("[]"), "the record is not an object");
}

TEST(Record, TextThatIsNotJsonIsRefused) {
  for (const char* text : {"", "{", "{}x", "{\"text\":}", "nul"}) {
    EXPECT_NE(refusal(text), "accepted") << text;
  }
  const std::string deep(kMaxRecordDepth + 1, '[');
  EXPECT_NE(refusal("{\"unknown\":" + deep + std::string(deep.size(), ']') + "}"), "accepted");
  EXPECT_NE(refusal(std::string(kMaxRecordBytes + 1, ' ')), "accepted");
}

RC_GTEST_PROP(Record, WhatIsWrittenIsReadAgain, ()) {
  Outer outer;
  outer.text = *rc::gen::arbitrary<std::string>();
  outer.flag = *rc::gen::arbitrary<bool>();
  outer.number = *rc::gen::arbitrary<std::int64_t>();
  outer.small = *rc::gen::arbitrary<std::uint16_t>();
  outer.colour = *rc::gen::element(Colour::kRed, Colour::kGreen);
  outer.count = Count(*rc::gen::arbitrary<std::uint64_t>());
  outer.at = Instant(*rc::gen::arbitrary<std::int64_t>());
  outer.address = Ipv4(*rc::gen::arbitrary<std::uint32_t>());
  const Cidr wide{Ipv4(*rc::gen::arbitrary<std::uint32_t>()), *rc::gen::inRange(0, 33)};
  outer.network = *Cidr::parse(wide.str());
  if (*rc::gen::arbitrary<bool>()) {
    outer.maybe = Instant(*rc::gen::arbitrary<std::int64_t>());
  }
  const auto names = *rc::gen::arbitrary<std::vector<std::string>>();
  for (const std::string& name : names) {
    outer.inners.push_back(Inner{Name(name), int(name.size())});
  }
  outer.tags = *rc::gen::arbitrary<std::map<std::string, std::string>>();
  const auto read = from_json<Outer>(to_json(outer));
  RC_ASSERT(read.has_value());
  RC_ASSERT(*read == outer);
}

RC_GTEST_PROP(Record, AnyBytesAreReadAgain, (const std::vector<unsigned char>& bytes)) {
  const Inner inner{Name(std::string(bytes.begin(), bytes.end())), std::nullopt};
  const auto read = from_json<Inner>(to_json(inner));
  RC_ASSERT(read.has_value());
  RC_ASSERT(*read == inner);
}

}  // namespace
}  // namespace hikae::codec
