#include "adapters/telemetry/spdlog_log.h"

#include <filesystem>
#include <fstream>
#include <regex>
#include <unistd.h>

#include <gtest/gtest.h>

namespace hikae::adapters {
namespace {

TEST(SpdlogLog, WritesOneLineForEachText) {
  std::string file = (std::filesystem::temp_directory_path() / "hikae-log-XXXXXX").string();
  ::close(::mkstemp(file.data()));
  {
    auto log = SpdlogLog::open(file);
    ASSERT_TRUE(log) << log.error().message;
    (*log)->info("group foo: available {}");
    (*log)->warn("first\nforged line");
  }
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
  }
  std::filesystem::remove(file);
  ASSERT_EQ(lines.size(), 2u);
  const std::regex form(
      R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info    group foo: available \{\})");
  EXPECT_TRUE(std::regex_match(lines[0], form)) << lines[0];
  EXPECT_NE(lines[1].find("warning first forged line"), std::string::npos) << lines[1];
}

TEST(SpdlogLog, SaysWhichFileCannotBeOpened) {
  const auto log = SpdlogLog::open("/proc/nothing/log");
  ASSERT_FALSE(log);
  EXPECT_NE(log.error().message.find("/proc/nothing"), std::string::npos) << log.error().message;
}

}  // namespace
}  // namespace hikae::adapters
