#include "codec/s3/s3.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace hikae::codec::s3 {
namespace {

std::string header(const std::vector<Header>& headers, const std::string& name) {
  const auto it = std::find_if(headers.begin(), headers.end(),
                               [&](const Header& one) { return one.first == name; });
  return it == headers.end() ? "" : it->second;
}

// AWS API reference of S3, "Authenticating requests: signature calculations in the Authorization
// header", the example of a GET with a Range.
TEST(S3, SignsAsTheReferenceDoes) {
  Account account;
  account.host = "examplebucket.s3.amazonaws.com";
  account.region = "us-east-1";
  account.credential = {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", {}};
  Call call;
  call.bucket = "test.txt";  // the reference's bucket is in the host, so its path is the key alone
  call.headers = {{"Range", "bytes=0-9"}};
  const auto headers = sign(call, account, Instant(1'369'353'600'000'000));
  EXPECT_EQ(header(headers, "X-Amz-Date"), "20130524T000000Z");
  EXPECT_TRUE(header(headers, "Authorization")
                  .ends_with("SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, Signature="
                             "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"))
      << header(headers, "Authorization");
}

TEST(S3, APathIsEncodedOnceAndSignedAsItIsSent) {
  Call call;
  call.bucket = "b";
  call.key = "some where/ä+b.rdb";
  call.query = "partNumber=1";
  EXPECT_EQ(target_of(call), "/b/some%20where/%C3%A4%2Bb.rdb?partNumber=1");
}

TEST(S3, NamesThatCouldMeanSomethingElse) {
  EXPECT_TRUE(is_possible_name("b", "a/b.rdb"));
  for (const char* key : {"", "/a", "a/", "a//b", ".", "a/../b", "./a"}) {
    EXPECT_FALSE(is_possible_name("b", key)) << key;
  }
  EXPECT_FALSE(is_possible_name("", "a"));
  EXPECT_FALSE(is_possible_name("..", "a"));
  EXPECT_FALSE(is_possible_name("a/b", "a"));
}

TEST(S3, ReadsElementsOfAnswers) {
  const std::string xml =
      "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>a &lt;b&gt;\n&amp;</Message>"
      "<Key/></Error>";
  EXPECT_EQ(element(xml, "Message"), "a <b>\n&");
  EXPECT_EQ(element(xml, "Error"), std::nullopt);
  EXPECT_EQ(element(xml, "Key"), std::nullopt);
  EXPECT_EQ(element("<Code>cut", "Code"), std::nullopt);
  EXPECT_EQ(error_words(xml), "NoSuchKey: a <b>?&");
  EXPECT_EQ(error_words("<html>"), "");
}

TEST(S3, ATagIsGivenBackAsItCame) {
  EXPECT_EQ(complete_upload({"\"a\"", "b"}),
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>&quot;a&quot;</ETag>"
            "</Part><Part><PartNumber>2</PartNumber><ETag>b</ETag></Part>"
            "</CompleteMultipartUpload>");
}

}  // namespace
}  // namespace hikae::codec::s3
