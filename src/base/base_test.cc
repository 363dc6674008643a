#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/address.h"
#include "base/random.h"
#include "base/strings.h"

namespace hikae {
namespace {

TEST(Strings, SplitAndJoinKeepEmptyParts) {
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_EQ(split("", ','), (std::vector<std::string>{""}));
  EXPECT_EQ(join({"a", "", "b"}, ","), "a,,b");
}

TEST(Strings, ParsesWholeNumbersOnly) {
  EXPECT_EQ(parse_integer("-12"), -12);
  for (const char* text : {"", " 1", "1 ", "+1", "0x10", "9223372036854775808"}) {
    EXPECT_EQ(parse_integer(text), std::nullopt) << text;
  }
}

TEST(Address, ParsesStrictly) {
  EXPECT_EQ(Ipv4::parse("10.0.0.1")->str(), "10.0.0.1");
  for (const char* text :
       {"10.0.0", "10.0.0.256", "10.0.0.01", "10.0.0.1 ", "a.b.c.d", "1.2.3.-4"}) {
    EXPECT_FALSE(Ipv4::parse(text)) << text;
  }
}

TEST(AddressRange, ReadsEveryForm) {
  EXPECT_EQ(AddressRange::parse("10.0.0.7")->size(), 1u);
  EXPECT_EQ(AddressRange::parse("10.0.0.7-10.0.0.20")->str(), "10.0.0.7-10.0.0.20");
  EXPECT_EQ(AddressRange::parse("10.0.0.0/29")->str(), "10.0.0.1-10.0.0.6");
  EXPECT_EQ(AddressRange::parse("10.0.0.4/31")->str(), "10.0.0.4-10.0.0.5");
  EXPECT_EQ(AddressRange::parse("10.0.0.4/32")->str(), "10.0.0.4");
  for (const char* text : {"", "-", "10.0.0.7-", "10.0.0.7-10.0.0.6", "10.0.0.0/33", "x"}) {
    EXPECT_FALSE(AddressRange::parse(text)) << text;
  }
}

TEST(AddressRange, OverlapsWhatSharesAnAddress) {
  const auto range = *AddressRange::parse("10.0.0.7-10.0.0.9");
  EXPECT_TRUE(range.overlaps(*AddressRange::parse("10.0.0.9-10.0.0.12")));
  EXPECT_FALSE(range.overlaps(*AddressRange::parse("10.0.0.10-10.0.0.12")));
  EXPECT_TRUE(range.contains(*Ipv4::parse("10.0.0.8")));
}

TEST(Cidr, ClearsTheBitsBehindThePrefix) {
  EXPECT_EQ(Cidr::parse("10.0.3.7/16")->str(), "10.0.0.0/16");
  EXPECT_FALSE(Cidr::parse("10.0.0.0/33"));
  EXPECT_TRUE(Cidr::parse("10.0.0.0/16")->overlaps(*Cidr::parse("10.0.5.0/24")));
  EXPECT_FALSE(Cidr::parse("10.0.0.0/24")->overlaps(*Cidr::parse("10.0.1.0/24")));
}

TEST(Random, SameSeedSameSequence) {
  SeededRandom a(7), b(7);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(a.next(), b.next());
  }
}

RC_GTEST_PROP(Random, DrawsStayBelowTheirBound, (std::uint64_t seed)) {
  SeededRandom random(seed);
  const auto bound = *rc::gen::inRange<std::uint64_t>(1, 1'000'000);
  RC_ASSERT(random.below(bound) < bound);
}

}  // namespace
}  // namespace hikae
