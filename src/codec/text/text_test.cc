#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "codec/text/digest.h"
#include "codec/text/encoding.h"

namespace hikae::codec {
namespace {

TEST(Base64, KnownValues) {
  EXPECT_EQ(base64_encode(""), "");
  EXPECT_EQ(base64_encode("f"), "Zg==");
  EXPECT_EQ(base64_encode("fo"), "Zm8=");
  EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64_decode("Zm8="), "fo");
}

TEST(Base64, RefusesWhatIsNotCanonical) {
  for (const char* text :
       {"Zg", "Zg=", "Zg===", "====", "Z===", "Zh==", "Zm9=", "Zm 8", "Zm8=Zm8=", "Zm-_"}) {
    EXPECT_EQ(base64_decode(text), std::nullopt) << text;
  }
}

RC_GTEST_PROP(Base64, RoundTrip, (const std::string& bytes)) {
  RC_ASSERT(base64_decode(base64_encode(bytes)) == bytes);
}

TEST(Percent, EncodesAllButUnreserved) {
  EXPECT_EQ(percent_encode("a b+c*~/\xC3\xA9-_."), "a%20b%2Bc%2A~%2F%C3%A9-_.");
}

TEST(Percent, DecodesPlusByPlace) {
  EXPECT_EQ(percent_decode("a+b%2bc", Plus::kIsSpace), "a b+c");
  EXPECT_EQ(percent_decode("a+b%2Bc", Plus::kIsPlus), "a+b+c");
}

TEST(Percent, RefusesMalformedEscapes) {
  for (const char* text : {"%", "%4", "a%zz", "%4g", "%%41"}) {
    EXPECT_EQ(percent_decode(text, Plus::kIsSpace), std::nullopt) << text;
  }
}

RC_GTEST_PROP(Percent, RoundTrip, (const std::string& bytes)) {
  RC_ASSERT(percent_decode(percent_encode(bytes), Plus::kIsSpace) == bytes);
}

TEST(Utf8, ShortestFormsOfScalarValuesOnly) {
  EXPECT_TRUE(is_valid_utf8("a\xC3\xA9\xE6\x8E\xA7\xF0\x9F\x98\x80"));
  for (const char* text : {"\x80", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                           "\xF5\x80\x80\x80", "\xC3", "\xE6\x8E", "\xC3(", "\xFF"}) {
    EXPECT_FALSE(is_valid_utf8(text));
  }
}

TEST(Digest, KnownValues) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  // RFC 4231, test case 2; RFC 2202, test case 2.
  EXPECT_EQ(hex_encode(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex_encode(hmac_sha1("Jefe", "what do ya want for nothing?")),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  EXPECT_EQ(hex_encode(hmac_sha256("", "")),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Digest, ConstantTimeEqual) {
  EXPECT_TRUE(constant_time_equal("", ""));
  EXPECT_TRUE(constant_time_equal("abc", "abc"));
  EXPECT_FALSE(constant_time_equal("abc", "abd"));
  EXPECT_FALSE(constant_time_equal("abc", "abcd"));
}

}  // namespace
}  // namespace hikae::codec
