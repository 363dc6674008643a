#include "app/fence_module.h"

#include <filesystem>
#include <fstream>
#include <sys/stat.h>

#include <gtest/gtest.h>

namespace hikae::app {
namespace {

namespace fs = std::filesystem;

// A directory that engines' users can look into. Nothing is installed beside the tests.
class FencesTest : public ::testing::Test {
 protected:
  FencesTest() {
    std::string name = ::testing::TempDir() + "hikae-fences-XXXXXX";
    directory_ = ::mkdtemp(name.data());
    ::chmod(directory_.c_str(), 0755);
  }
  ~FencesTest() override { fs::remove_all(directory_); }

  std::string make_keeper(mode_t mode) {
    const std::string file = directory_ + "/hikae-keeper";
    std::ofstream(file) << "#!/bin/sh\n";
    ::chmod(file.c_str(), mode);
    return file;
  }
  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }

  std::string directory_;
};

TEST_F(FencesTest, WhatIsNotInstalledHasToBeNamed) {
  const auto keeper = find_keeper("");
  ASSERT_FALSE(keeper);
  EXPECT_EQ(keeper.error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(has(keeper.error().message, "--keeper")) << keeper.error().message;
}

TEST_F(FencesTest, AKeeperIsAProgram) {
  EXPECT_EQ(find_keeper(make_keeper(0755)).value(), directory_ + "/hikae-keeper");
  const auto text = find_keeper(make_keeper(0644));
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::kDenied);
}

TEST_F(FencesTest, WithoutEitherTheOperatorIsToldWhatFollowsAndWhy) {
  const Fences found = find_fences("none", directory_ + "/no-keeper");
  EXPECT_TRUE(found.module.empty());
  EXPECT_TRUE(found.keeper.empty());
  EXPECT_TRUE(has(found.problem, "take writes without a lease")) << found.problem;
  EXPECT_TRUE(has(found.problem, "it is set to none")) << found.problem;
  EXPECT_TRUE(has(found.problem, "there is no " + directory_ + "/no-keeper")) << found.problem;
}

TEST_F(FencesTest, AModuleThatIsMissingMakesKeepersServeForAllEngines) {
  const Fences found = find_fences(directory_ + "/fence.so", make_keeper(0755));
  EXPECT_TRUE(found.module.empty());
  EXPECT_EQ(found.keeper, directory_ + "/hikae-keeper");
  EXPECT_TRUE(has(found.problem, "are stopped when their lease is over")) << found.problem;
  EXPECT_TRUE(has(found.problem, "there is no " + directory_ + "/fence.so")) << found.problem;
}

TEST_F(FencesTest, WhoChoseKeepersAloneIsToldNothing) {
  const Fences found = find_fences("none", make_keeper(0755));
  EXPECT_EQ(found.keeper, directory_ + "/hikae-keeper");
  EXPECT_EQ(found.problem, "");
}

}  // namespace
}  // namespace hikae::app
