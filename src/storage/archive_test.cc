#include "storage/archive.h"

#include <gtest/gtest.h>

#include "storage/rows.h"

namespace hikae::storage {
namespace {

Archive region() {
  core::Transition transition;
  core::Region made;
  made.name = "ap-northeast-1";
  made.account_id = "123456789012";
  transition.put(made);
  core::Vpc vpc;
  vpc.id = core::VpcId("vpc-1");
  vpc.cidr = *Cidr::parse("10.0.0.0/16");
  vpc.tags["na\"me\n"] = "v\\";
  transition.put(vpc);
  for (std::uint64_t number : {1, 2, 300}) {
    core::Event event;
    event.id = core::Event::Key(number);
    event.message = "made\xff";
    transition.put(event);
  }
  Archive archive;
  archive.state.apply(transition, core::Revision(42));
  return archive;
}

TEST(Archive, EverythingSurvives) {
  Archive archive = region();
  archive.secret = std::string("\0\xff\n secret", 10);
  archive.access_key_id = "HKIAABC";
  archive.secret_access_key = "s/ecret+";
  const auto again = read_archive(write_archive(archive));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->state.revision(), core::Revision(42));
  EXPECT_EQ(to_rows(again->state), to_rows(archive.state));
  EXPECT_EQ(again->secret, archive.secret);
  EXPECT_EQ(again->access_key_id, "HKIAABC");
  EXPECT_EQ(again->secret_access_key, "s/ecret+");
}

TEST(Archive, WithoutSecretsThereAreNone) {
  const auto again = read_archive(write_archive(region()));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->secret.empty());
  EXPECT_TRUE(again->access_key_id.empty());
}

TEST(Archive, AFileThatIsCutAnywhereIsRefused) {
  const std::string text = write_archive(region());
  for (std::size_t length = 0; length < text.size(); ++length) {
    const auto read = read_archive(std::string_view(text).substr(0, length));
    ASSERT_FALSE(read) << length;
    EXPECT_EQ(read.error().code, ErrorCode::kInvalid);
  }
}

TEST(Archive, AnyChangedByteIsRefused) {
  const std::string text = write_archive(region());
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string changed = text;
    changed[at] = changed[at] == 'x' ? 'y' : 'x';
    EXPECT_FALSE(read_archive(changed)) << at;
  }
}

TEST(Archive, ANewerVersionIsNamed) {
  const auto read = read_archive("{\"format\":\"hikae-region\",\"version\":9}\n");
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find("newer hikae (version 9"), std::string::npos)
      << read.error().message;
}

TEST(Archive, OtherFilesAreRefused) {
  for (const char* text : {"", "\n", "{}\n", "PNG\x1a", "{\"format\":\"other\",\"version\":1}\n"}) {
    EXPECT_FALSE(read_archive(text)) << text;
  }
}

}  // namespace
}  // namespace hikae::storage
