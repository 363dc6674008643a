#include <gtest/gtest.h>

#include "codec/rdb/crc64.h"
#include "codec/rdb/verifier.h"

namespace hikae::codec::rdb {
namespace {

std::string with_checksum(std::string body) {
  const std::uint64_t crc = crc64(0, body);
  for (int i = 0; i < 8; ++i) {
    body += char(std::uint8_t(crc >> (8 * i)));
  }
  return body;
}

// What Valkey 8 writes of an empty database, but for the time.
std::string sample() {
  std::string body = "REDIS0011";
  body += std::string(
      "\xfa\x0avalkey-ver\x05"
      "8.0.1",
      18);
  body += std::string("\xfa\x0aredis-bits\xc0\x40", 14);
  body += std::string("\xfa\x08used-mem\xc2\x10\x27\x0e\x00", 15);
  body += std::string("\xfe\x00\xff", 3);
  return with_checksum(body);
}

Result<Facts> verify(std::string_view bytes, std::size_t piece) {
  Verifier verifier;
  while (!bytes.empty()) {
    verifier.feed(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  return verifier.finish();
}

std::string refusal(std::string_view bytes) {
  const auto result = verify(bytes, 4096);
  return result ? "" : result.error().message;
}

TEST(Crc64, IsTheOneOfTheFormat) {
  EXPECT_EQ(crc64(0, "123456789"), 0xe9c6d914c4b8d9ca);
  // The value does not depend on where the words of eight bytes begin.
  const std::string text = "a text that is longer than eight bytes";
  EXPECT_EQ(crc64(crc64(0, text.substr(0, 3)), text.substr(3)), crc64(0, text));
}

TEST(RdbVerifier, TellsWhatAWholeFileSaysOfItself) {
  const auto facts = verify(sample(), 4096);
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_EQ(facts->format, 11);
  EXPECT_EQ(facts->used_memory, 0x000e2710u);
  EXPECT_EQ(facts->bytes, sample().size());
  EXPECT_EQ(checksum_text(facts->checksum).size(), 16u);
}

TEST(RdbVerifier, DoesNotDependOnThePieces) {
  const auto whole = verify(sample(), 4096);
  ASSERT_TRUE(whole);
  for (std::size_t piece = 1; piece < 20; ++piece) {
    const auto pieces = verify(sample(), piece);
    ASSERT_TRUE(pieces) << piece;
    EXPECT_EQ(*pieces, *whole) << piece;
  }
}

TEST(RdbVerifier, EveryChangedByteIsFound) {
  for (std::size_t i = 0; i < sample().size(); ++i) {
    std::string damaged = sample();
    damaged[i] = char(damaged[i] ^ 0x20);
    EXPECT_FALSE(verify(damaged, 7)) << i;
  }
}

TEST(RdbVerifier, EveryCutIsFound) {
  for (std::size_t size = 0; size < sample().size(); ++size) {
    EXPECT_FALSE(verify(sample().substr(0, size), 4096)) << size;
  }
  EXPECT_FALSE(verify(sample() + "x", 4096));
}

TEST(RdbVerifier, SaysWhatIsWrong) {
  EXPECT_EQ(refusal("SQLite format 3"), "it is no RDB file");
  EXPECT_EQ(refusal(""), "it is no RDB file");
  EXPECT_EQ(refusal(with_checksum("REDIS0003\xff")), "its format 3 is too old to have a checksum");
  EXPECT_NE(refusal(std::string("REDIS0011\xff\0\0\0\0\0\0\0\0", 18)).find("without a checksum"),
            std::string::npos);
  std::string damaged = sample();
  damaged[20] = 'X';
  EXPECT_NE(refusal(damaged).find("it is damaged"), std::string::npos);
}

TEST(RdbVerifier, KnowsTheFormatOfValkey9) {
  const auto facts = verify(with_checksum("VALKEY080\xff"), 4096);
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_EQ(facts->format, 80);
  EXPECT_EQ(facts->used_memory, 0u);
}

}  // namespace
}  // namespace hikae::codec::rdb
