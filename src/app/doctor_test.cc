#include "app/doctor.h"

#include <algorithm>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "app/doctor_checks.h"

namespace hikae::app {
namespace {

TEST(Doctor, ATakenApiPortFailsAndNamesTheProgram) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where = {};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&where), sizeof where), 0);
  ASSERT_EQ(::listen(fd, 1), 0);
  ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&where), &size), 0);
  ServeConfig config;
  config.data_directory = "/no/such/region";
  config.listen = SocketAddress{Ipv4(INADDR_LOOPBACK), ntohs(where.sin_port)};
  const auto findings = check_own_ports(config);
  ::close(fd);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].level, Finding::Level::kFail);
  EXPECT_NE(findings[0].text.find("(pid " + std::to_string(::getpid()) + ")"), std::string::npos)
      << findings[0].text;
}

TEST(Doctor, ADataDirectoryThatCannotHoldARegionFails) {
  ServeConfig config;
  config.data_directory = "/proc/hikae/region";  // for root writable by its mode, but without room
  const auto findings = check_data_directory(config);
  EXPECT_TRUE(std::any_of(findings.begin(), findings.end(), [](const Finding& f) {
    return f.level == Finding::Level::kFail && !f.mend.empty();
  }));
}

TEST(Doctor, WithoutAnyFenceItSaysWhatThatCosts) {
  const auto findings = check_fence();  // nothing is installed beside the tests
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].level, Finding::Level::kWarn);
  EXPECT_NE(findings[0].text.find("take writes without a lease"), std::string::npos);
  EXPECT_NE(findings[0].mend.find("rebuild_after"), std::string::npos);
}

TEST(Doctor, WithKeepersAloneItSaysWhatClientsMeet) {
  const Finding keeper = finding_of({"", "/usr/lib/hikae/hikae-keeper", "there is no module"});
  EXPECT_EQ(keeper.level, Finding::Level::kWarn);
  EXPECT_NE(keeper.text.find("there is no module"), std::string::npos);
  EXPECT_NE(keeper.mend.find("stopped engine"), std::string::npos);
}

TEST(Doctor, WithTheModuleAllIsWell) {
  const Finding both = finding_of({"/lib/fence.so", "/lib/hikae-keeper", ""});
  EXPECT_EQ(both.level, Finding::Level::kOk);
  EXPECT_NE(both.text.find("older ones are stopped"), std::string::npos);
  const Finding module = finding_of({"/lib/fence.so", "", ""});
  EXPECT_NE(module.text.find("older ones have no lease"), std::string::npos);
}

TEST(Doctor, OneLineForEachFinding) {
  EXPECT_EQ(render(Finding{Finding::Level::kOk, "disk", "10 MiB free", ""}),
            "ok    disk: 10 MiB free");
  EXPECT_EQ(render(Finding{Finding::Level::kWarn, "disk", "1 MiB free", "free space"}),
            "warn  disk: 1 MiB free; free space");
}

}  // namespace
}  // namespace hikae::app
