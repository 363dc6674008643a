#include "app/resolver_files.h"

#include <gtest/gtest.h>

namespace hikae::app {
namespace {

TEST(ResolverFiles, OurServerComesFirstAndTheMachinesOwnBehindIt) {
  EXPECT_EQ(private_resolv_conf("# made by dhcp\nsearch example.org\nnameserver 10.0.0.2\n"
                                "nameserver 127.0.0.153\nnameserver 10.0.0.3\n"
                                "nameserver 10.0.0.4\noptions edns0\n",
                                *Ipv4::parse("127.0.0.153")),
            "# Written by hikae shell.\nnameserver 127.0.0.153\nsearch example.org\n"
            "nameserver 10.0.0.2\nnameserver 10.0.0.3\noptions edns0\n");
}

TEST(ResolverFiles, ResolvedIsLeftOutOnlyWhereItIsUsed) {
  EXPECT_EQ(private_nsswitch("passwd: files\nhosts: files dns\n"), std::nullopt);
  const auto changed =
      private_nsswitch("passwd: files\nhosts: files resolve [!UNAVAIL=return] dns\n");
  ASSERT_TRUE(changed);
  EXPECT_NE(changed->find("passwd: files\nhosts: files dns\n"), std::string::npos) << *changed;
}

TEST(ResolverFiles, HostsKeepsTheMachinesLines) {
  const auto hosts = private_hosts("127.0.0.1 localhost", "127.64.0.10 foo.x\n127.64.0.11 bar.x\n");
  ASSERT_TRUE(hosts);
  EXPECT_EQ(*hosts,
            "127.0.0.1 localhost\n# Written by hikae shell, kept up to date.\n"
            "127.64.0.10 foo.x\n127.64.0.11 bar.x\n");
}

TEST(ResolverFiles, OtherLinesThanNamesAreRefused) {
  for (const char* names : {"localhost foo.x", "127.0.0.1", "127.0.0.1 a b", "127.0.0.1 a#b",
                            "127.0.0.1 A.x", "<html>"}) {
    EXPECT_FALSE(private_hosts("", names)) << names;
  }
}

}  // namespace
}  // namespace hikae::app
