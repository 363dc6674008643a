#include "app/shell_tools.h"

#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "adapters/system/files.h"
#include "app/environment.h"
#include "app/programs.h"

namespace hikae::app {
namespace {

TEST(ShellTools, KnowsWhichAwsReadsTheEndpointVariable) {
  EXPECT_EQ(knows_endpoint_variable("aws-cli/2.9.19 Python/3.11.2 Linux/6.1 source"), false);
  EXPECT_EQ(knows_endpoint_variable("aws-cli/2.13.0 Python/3.11.4"), true);
  EXPECT_EQ(knows_endpoint_variable("aws-cli/1.28.9 Python/3.9"), false);
  EXPECT_EQ(knows_endpoint_variable("aws-cli/1.45.11 Python/3.11.7"), true);
  EXPECT_EQ(knows_endpoint_variable("aws-cli/3.0.0"), true);
  EXPECT_EQ(knows_endpoint_variable("command not found"), std::nullopt);
}

class ShellToolsTest : public testing::Test {
 protected:
  ShellToolsTest() {
    std::string name = (std::filesystem::temp_directory_path() / "hikae tools-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    facts_.api = "127.0.0.1:4566";
    facts_.dns = {"127.0.0.1:4553"};
    facts_.domain = "cache.hikae.internal";
  }
  ~ShellToolsTest() override { std::filesystem::remove_all(root_); }
  // A program in `bin` that prints its name and its words.
  void install(const std::string& name, const std::string& body) {
    ASSERT_TRUE(adapters::make_directory(root_ + "/bin", 0755));
    ASSERT_TRUE(adapters::write_file(root_ + "/bin/" + name, "#!/bin/sh\n" + body, 0755));
  }
  std::string run(const std::string& path, const std::string& command) {
    const std::string script = "PATH=" + shell_quote(path) + "; " + command;
    FILE* pipe = ::popen(script.c_str(), "re");
    char buffer[1024];
    const std::size_t got = ::fread(buffer, 1, sizeof buffer, pipe);
    ::pclose(pipe);
    return std::string(buffer, got);
  }
  std::string root_;
  RuntimeFacts facts_;
};

TEST_F(ShellToolsTest, DigGoesToOurServerForOurNamesOnly) {
  install("dig", "echo \"$@\"\n");
  const auto path = tool_path(root_, facts_, root_ + "/bin", true);
  ASSERT_TRUE(path) << path.error().message;
  EXPECT_EQ(run(*path, "dig +short foo.cache.hikae.internal"),
            "@127.0.0.1 -p 4553 +short foo.cache.hikae.internal\n");
  EXPECT_EQ(run(*path, "dig foo.cache.hikae.internal. A"),
            "@127.0.0.1 -p 4553 foo.cache.hikae.internal. A\n");
  EXPECT_EQ(run(*path, "dig example.org"), "example.org\n");
  EXPECT_EQ(run(*path, "dig @10.0.0.1 foo.cache.hikae.internal"),
            "@10.0.0.1 foo.cache.hikae.internal\n");
  EXPECT_EQ(*tool_path(root_, facts_, root_ + "/bin", false), root_ + "/bin");
}

TEST_F(ShellToolsTest, AnOldAwsIsToldTheEndpoint) {
  const std::string version = "[ \"$1\" = --version ] && echo aws-cli/";
  install("aws", version + "2.9.19 && exit\necho \"$@\"\n");
  const auto old_path = tool_path(root_, facts_, root_ + "/bin", false);
  ASSERT_TRUE(old_path) << old_path.error().message;
  EXPECT_EQ(run(*old_path, "AWS_ENDPOINT_URL=http://x aws sts help"),
            "--endpoint-url http://x sts help\n");
  install("aws", version + "2.31.0 && exit\necho \"$@\" unwrapped\n");
  EXPECT_EQ(*tool_path(root_, facts_, root_ + "/bin", false), root_ + "/bin");
}

TEST_F(ShellToolsTest, FindsProgramsInTheOrderOfThePath) {
  install("tool", "");
  ASSERT_TRUE(adapters::make_directory(root_ + "/other/tool", 0755));
  EXPECT_EQ(find_program("tool", "/nowhere:" + root_ + "/other:" + root_ + "/bin"),
            root_ + "/bin/tool");
  EXPECT_EQ(find_program("tool", "/nowhere"), "");
}

}  // namespace
}  // namespace hikae::app
