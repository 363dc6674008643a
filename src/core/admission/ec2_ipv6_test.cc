#include "core/admission/ec2_ipv6.h"

#include <gtest/gtest.h>

namespace hikae::core {
namespace {

TEST(Ipv6Cidr, IsSpeltInOneWay) {
  EXPECT_EQ(canonical_ipv6_cidr("::/0"), "::/0");
  EXPECT_EQ(canonical_ipv6_cidr("2001:DB8::1/32"), "2001:db8::/32");
  EXPECT_EQ(canonical_ipv6_cidr("2001:0db8:0000:0001:0000:0000:0000:0001/128"),
            "2001:db8:0:1::1/128");
  EXPECT_EQ(canonical_ipv6_cidr("1:0:0:2:0:0:3:4/128"), "1::2:0:0:3:4/128");
  EXPECT_EQ(canonical_ipv6_cidr("fe80::ffff/113"), "fe80::8000/113");
  EXPECT_EQ(canonical_ipv6_cidr("::ffff:10.0.0.1/128"), "::ffff:a00:1/128");
  EXPECT_EQ(canonical_ipv6_cidr("1:2:3:4:5:6:7:8/1"), "::/1");
}

TEST(Ipv6Cidr, RefusesTheRest) {
  for (const char* text :
       {"", "::", "::/129", "::/x", ":/0", "1:2/64", "1:2:3:4:5:6:7:8:9/64", "1::2::3/64", ":::/0",
        "12345::/16", "g::/16", "1:2:3:4:5:6:7::8/64", "10.0.0.0/8", "::1.2.3/128"}) {
    EXPECT_EQ(canonical_ipv6_cidr(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace hikae::core
