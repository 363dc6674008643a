#include "control/host_reports.h"

#include <gtest/gtest.h>

namespace hikae::control {
namespace {

const core::HostId kHost("h1");
const core::HostId kOther("h2");

core::NodeKey key(int number) {
  return {core::CacheClusterId("foo-00" + std::to_string(number)), core::NodeId("0001")};
}

class HostReportsTest : public ::testing::Test {
 protected:
  HostReportsTest() {
    for (const int number : {1, 2}) {
      place(number, kHost);
    }
  }
  // Puts the cluster of that number on a host.
  void place(int number, const core::HostId& host) {
    core::CacheCluster cluster;
    cluster.id = key(number).cluster;
    cluster.nodes.resize(1);
    cluster.nodes[0].id = key(number).node;
    cluster.nodes[0].host = host;
    core::Transition transition;
    transition.put(std::move(cluster));
    state.apply(transition, state.revision().next());
    reports.follow(transition);
  }
  static Shared<core::NodeObservation> seen(int number, std::int64_t pid) {
    core::NodeObservation out;
    out.node = key(number);
    out.process = core::NodeObservation::Process::kRunning;
    out.pid = pid;
    return out;
  }
  std::set<core::NodeKey> tell(const core::HostId& host,
                               std::vector<Shared<core::NodeObservation>> nodes) {
    return reports.take(state, core::HostReport{host, {}, {}, std::move(nodes)});
  }
  using Keys = std::set<core::NodeKey>;

  core::State state;
  core::Observed observed;
  HostReports reports{observed};
};

TEST_F(HostReportsTest, OnlyWhatChangedIsTaken) {
  const auto first = seen(1, 10);
  EXPECT_EQ(tell(kHost, {first, seen(2, 20)}), (Keys{key(1), key(2)}));
  EXPECT_EQ(tell(kHost, {first, seen(2, 21)}), (Keys{key(2)}));
  EXPECT_EQ(tell(kHost, {first, seen(2, 21)}), Keys());  // anew, and equal
  EXPECT_EQ(observed.nodes.at(key(1)).pid, 10);
  EXPECT_EQ(observed.nodes.at(key(2)).pid, 21);
}

TEST_F(HostReportsTest, WhoWasStartedSinceIsDeadSinceThen) {
  const auto dead = [](std::uint64_t starts) {
    core::NodeObservation out = *seen(1, 0);
    out.process = core::NodeObservation::Process::kStopped;
    out.starts = starts;
    return Shared<core::NodeObservation>(std::move(out));
  };
  observed.now = Monotonic(1000);
  tell(kHost, {dead(1), seen(2, 20)});
  observed.now = Monotonic(2000);
  tell(kHost, {dead(1), seen(2, 21)});
  EXPECT_EQ(observed.dead_for(key(1)), Duration(1000));
  tell(kHost, {dead(2), seen(2, 21)});
  EXPECT_EQ(observed.dead_for(key(1)), Duration()) << "nobody told that it lived";
  tell(kHost, {seen(1, 10), seen(2, 21)});
  EXPECT_FALSE(observed.dead_since.contains(key(1)));
}

TEST_F(HostReportsTest, OffsetsAreTakenWithoutBeingNews) {
  tell(kHost, {seen(1, 10)});
  core::NodeObservation further = *seen(1, 10);
  further.replication_offset = 77;
  EXPECT_EQ(tell(kHost, {further}), Keys());
  EXPECT_EQ(observed.nodes.at(key(1)).replication_offset, 77u);
}

TEST_F(HostReportsTest, ANodeThatIsNotToldAnyMoreIsGone) {
  tell(kHost, {seen(1, 10), seen(2, 20)});
  EXPECT_EQ(tell(kHost, {seen(2, 20)}), (Keys{key(1)}));
  EXPECT_FALSE(observed.nodes.contains(key(1)));
}

// The same words mean something else once the node has got another place.
TEST_F(HostReportsTest, WhatWasNoneOfAHostsBusinessCountsOnceTheNodeIsThere) {
  const auto told = seen(1, 30);
  EXPECT_EQ(tell(kOther, {told}), Keys());
  EXPECT_FALSE(observed.nodes.contains(key(1)));
  place(1, kOther);
  EXPECT_EQ(tell(kOther, {told}), (Keys{key(1)}));
  EXPECT_EQ(observed.nodes.at(key(1)).pid, 30);
}

TEST_F(HostReportsTest, OfAHostThatLeftNothingCounts) {
  tell(kHost, {seen(1, 10)});
  core::Transition left;
  left.remove<core::Host>(kHost);
  reports.follow(left);
  EXPECT_TRUE(observed.nodes.empty());
  EXPECT_TRUE(observed.assignment_revision.empty());
}

}  // namespace
}  // namespace hikae::control
