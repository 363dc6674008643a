#include "core/admission/group_changes.h"

#include <gtest/gtest.h>

#include "core/testing/world.h"

namespace hikae::core {
namespace {

constexpr Duration kDay = std::chrono::hours(24);

class TestFailoverQuota : public ::testing::Test {
 protected:
  TestFailoverQuota() { make("foo"); }

  void make(const std::string& id) { world.make_group(id, 2); }
  std::string call(const std::string& id) {
    TestFailover command{id, "0001", 2};
    return world.admit_code(command);
  }
  // The kill and the takeover, as far as another call is concerned.
  void be_over(const std::string& id) {
    ReplicationGroup group = world.group(id);
    group.node_groups[0].kill_epoch = Epoch(0);
    Transition done;
    done.put(std::move(group));
    world.apply(done);
  }
  std::string call_and_wait(const std::string& id) {
    std::string code = call(id);
    be_over(id);
    return code;
  }

  World world;
};

TEST_F(TestFailoverQuota, CountsEveryCallOfTheLast24Hours) {
  make("bar");
  const Instant first = world.now;
  EXPECT_EQ(call_and_wait("foo"), "");
  world.now = first + kDay / 2;
  EXPECT_EQ(call_and_wait("bar"), "");
  EXPECT_EQ(call_and_wait("foo"), "APICallRateForCustomerExceeded");
  world.now = first + kDay - std::chrono::seconds(1);
  EXPECT_EQ(call_and_wait("bar"), "APICallRateForCustomerExceeded");
  world.now = first + kDay;
  EXPECT_EQ(call_and_wait("foo"), "") << "the first has left the period";
  EXPECT_EQ(call_and_wait("foo"), "APICallRateForCustomerExceeded") << "the second has not";
}

TEST_F(TestFailoverQuota, RefusedCallsDoNotCount) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(call("nobody"), "ReplicationGroupNotFoundFault");
  }
  EXPECT_EQ(call_and_wait("foo"), "");
  EXPECT_EQ(call_and_wait("foo"), "");
  EXPECT_EQ(call_and_wait("foo"), "APICallRateForCustomerExceeded");
}

TEST_F(TestFailoverQuota, ADeletedGroupStillCounts) {
  EXPECT_EQ(call_and_wait("foo"), "");
  EXPECT_EQ(call_and_wait("foo"), "");
  Transition gone;
  for (const CacheClusterId& member : world.group("foo").node_groups[0].members) {
    gone.remove<CacheCluster>(member);
  }
  gone.remove<ReplicationGroup>(ReplicationGroupId("foo"));
  world.apply(gone);
  make("foo");
  EXPECT_EQ(call("foo"), "APICallRateForCustomerExceeded");
}

TEST_F(TestFailoverQuota, ZeroIsAnyNumber) {
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(world.admit_code(TestFailover{"foo", "0001"}), "");
    be_over("foo");
  }
}

}  // namespace
}  // namespace hikae::core
