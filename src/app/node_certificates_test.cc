#include "app/node_certificates.h"

#include <gtest/gtest.h>

#include "adapters/certificates/certificates.h"
#include "app/region_ca.h"

namespace hikae::app {
namespace {

using std::chrono::hours;

class TestClock final : public control::Clock {
 public:
  Instant now() const override { return at; }
  Monotonic monotonic() const override { return {}; }
  control::Awaitable<void> sleep_until(Monotonic) override { co_return; }
  Instant at{1'800'000'000'000'000};
};

core::NodeAssignment node(const std::string& cluster) {
  core::NodeAssignment out;
  out.node = core::NodeKey{core::CacheClusterId(cluster), core::NodeId("0001")};
  out.address = *Ipv4::parse("127.64.0.4");
  out.access.transit_encryption = "required";
  out.certificate_name = "*.foo.abcdef.cache.internal";
  return out;
}

class NodeCertificatesTest : public ::testing::Test {
 protected:
  std::string get(const core::NodeAssignment& assignment) {
    const auto pem = certificates_.for_node(assignment);
    EXPECT_TRUE(pem);
    return pem.value_or("");
  }
  TestClock clock_;
  NodeCertificates certificates_{std::move(*nodes_ca("eu-west-1", "secret")), clock_, hours(30)};
};

TEST_F(NodeCertificatesTest, StaysTheSameForTwoThirdsOfItsLife) {
  const std::string first = get(node("foo-001"));
  EXPECT_NE(get(node("foo-002")), first) << "every node has a key of its own";
  clock_.at = clock_.at + hours(19);
  EXPECT_EQ(get(node("foo-001")), first);
  clock_.at = clock_.at + hours(1);
  const std::string second = get(node("foo-001"));
  EXPECT_NE(second, first);
  EXPECT_EQ(adapters::read_certificate(second)->not_after, clock_.at + hours(30));
  EXPECT_EQ(get(node("foo-001")), second);
}

TEST_F(NodeCertificatesTest, ANodeElsewhereGetsAnother) {
  const std::string first = get(node("foo-001"));
  core::NodeAssignment moved = node("foo-001");
  moved.address = *Ipv4::parse("127.64.0.5");
  EXPECT_NE(get(moved), first);
}

TEST(NodesCa, IsNotTheOneThatServersAndAgentsTrust) {
  const auto nodes = nodes_ca("eu-west-1", "secret");
  EXPECT_EQ(nodes->fingerprint(), nodes_ca("eu-west-1", "secret")->fingerprint());
  EXPECT_NE(nodes->fingerprint(), region_ca("eu-west-1", "secret")->fingerprint());
  EXPECT_NE(nodes->fingerprint(), nodes_ca("eu-west-1", "other")->fingerprint());
}

}  // namespace
}  // namespace hikae::app
