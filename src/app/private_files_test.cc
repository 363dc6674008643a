#include "app/private_files.h"

#include <filesystem>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "adapters/system/files.h"
#include "adapters/system/probe.h"

namespace hikae::app {
namespace {

constexpr int kNotPermitted = 77;

// In a child, because a namespace is never left again: 0 when all went as it should.
int cover_and_replace(const std::string& link, const std::string& temporary) {
  if (!enter_mount_namespace()) {
    return kNotPermitted;
  }
  ::setenv("TMPDIR", temporary.c_str(), 1);
  auto file = cover_file(link, "private\n");
  if (!file || adapters::read_file(link).value_or("") != "private\n") {
    return 1;
  }
  if (!file->replace("new\n") || adapters::read_file(link).value_or("") != "new\n\n\n\n\n") {
    return 2;
  }
  const bool left_behind = !std::filesystem::is_empty(temporary);
  return left_behind ? 3 : 0;
}

TEST(PrivateFiles, AFileIsCoveredForTheChildAlone) {
  if (adapters::probe_mount_namespace() == adapters::NamespaceSupport::kNone) {
    GTEST_SKIP() << "this machine forbids mount namespaces";
  }
  std::string name = (std::filesystem::temp_directory_path() / "hikae-cover-XXXXXX").string();
  const std::string root = ::mkdtemp(name.data());
  ASSERT_TRUE(adapters::write_file(root + "/file", "public\n", 0644));
  ASSERT_TRUE(adapters::make_directory(root + "/tmp", 0755));
  std::filesystem::create_symlink("file", root + "/link");
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(cover_and_replace(root + "/link", root + "/tmp"));
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(*adapters::read_file(root + "/link"), "public\n");
  std::filesystem::remove_all(root);
}

TEST(PrivateFiles, AMissingFileIsNamed) {
  const auto file = cover_file("/no/such/file", "");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::kNotFound);
  EXPECT_NE(file.error().message.find("/no/such/file"), std::string::npos);
}

}  // namespace
}  // namespace hikae::app
