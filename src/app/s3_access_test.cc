#include "app/s3_access.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/testing/temporary_directory.h"

namespace hikae::app {
namespace {

namespace fs = std::filesystem;

class S3AccessTest : public ::testing::Test {
 protected:
  std::string write(const std::string& text, fs::perms mode) {
    const std::string path = directory_.path() + "/credentials";
    std::ofstream(path) << text;
    fs::permissions(path, mode);
    return path;
  }
  TemporaryDirectory directory_;
};

constexpr fs::perms kClosed = fs::perms::owner_read | fs::perms::owner_write;
constexpr const char* kKey =
    "[default]\naws_access_key_id = AKIA\naws_secret_access_key= s/c=ret \n"
    "[other]\naws_access_key_id = no\n";

TEST(S3Endpoint, NamesHostPortAndProtocol) {
  const auto plain = parse_s3_endpoint("http://127.0.0.1:9000");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->server, (net::Peer{"127.0.0.1", 9000}));
  EXPECT_FALSE(plain->tls);
  EXPECT_EQ(plain->host, "127.0.0.1:9000");
  const auto tls = parse_s3_endpoint("https://s3.example.com/");
  ASSERT_TRUE(tls);
  EXPECT_EQ(tls->server, (net::Peer{"s3.example.com", 443}));
  EXPECT_TRUE(tls->tls);
  EXPECT_EQ(tls->host, "s3.example.com");
  for (const char* url : {"", "s3.example.com", "ftp://a", "http://", "http://a/b", "http://a:0",
                          "http://a:70000", "http://u:p@a"}) {
    EXPECT_FALSE(parse_s3_endpoint(url)) << url;
  }
}

TEST_F(S3AccessTest, TheFirstKeyOfTheFileCounts) {
  const auto read = read_s3_credentials(write(kKey, kClosed));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->access_key_id, "AKIA");
  EXPECT_EQ(read->secret, "s/c=ret");
  EXPECT_FALSE(read->session_token);
}

TEST_F(S3AccessTest, AFileThatOthersMayReadIsRefused) {
  const auto read = read_s3_credentials(write(kKey, kClosed | fs::perms::group_read));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kDenied);
}

TEST_F(S3AccessTest, HalfAKeyIsNone) {
  EXPECT_FALSE(read_s3_credentials(write("aws_access_key_id = a\n", kClosed)));
  EXPECT_FALSE(read_s3_credentials(directory_.path() + "/none"));
}

}  // namespace
}  // namespace hikae::app
