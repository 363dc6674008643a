#include "control/node_places.h"

#include <gtest/gtest.h>

namespace hikae::control {
namespace {

using Place = NodePlaces::Place;

const core::NodeKey kKey{core::CacheClusterId("foo-001"), core::NodeId("0001")};
const core::HostId kOld("h1");
const core::HostId kNew("h2");

class NodePlacesTest : public ::testing::Test {
 protected:
  NodePlacesTest() {
    cluster.id = kKey.cluster;
    cluster.nodes.resize(1);
    cluster.nodes[0].id = kKey.node;
    cluster.nodes[0].host = kOld;
  }
  // Puts the cluster as it is.
  void change() {
    core::Transition transition;
    transition.put(cluster);
    state.apply(transition, state.revision().next());
    places.follow(transition, observed);
  }
  void tell(const core::HostId& host, std::int64_t pid) {
    const Place place = NodePlaces::place_of(state, host, kKey);
    auto& table = place == Place::kArriving ? observed.arrivals : observed.nodes;
    table[kKey].pid = pid;
    places.told(host, kKey, place);
  }
  core::Node& node() { return cluster.nodes[0]; }

  core::CacheCluster cluster;
  core::State state;
  core::Observed observed;
  NodePlaces places;
};

TEST_F(NodePlacesTest, ACopyThatArrivesIsTheNode) {
  change();
  tell(kOld, 1);
  node().move.host = kNew;
  change();
  EXPECT_EQ(NodePlaces::place_of(state, kNew, kKey), Place::kArriving);
  tell(kNew, 2);
  EXPECT_EQ(observed.nodes.at(kKey).pid, 1);
  node().host = kNew;
  node().move = {};
  change();
  EXPECT_EQ(observed.nodes.at(kKey).pid, 2);
  EXPECT_TRUE(observed.arrivals.empty());
  EXPECT_EQ(NodePlaces::place_of(state, kOld, kKey), Place::kElsewhere);
}

TEST_F(NodePlacesTest, ACopyThatIsCalledOffIsForgotten) {
  change();
  tell(kOld, 1);
  node().move.host = kNew;
  change();
  tell(kNew, 2);
  node().move = {};
  change();
  EXPECT_EQ(observed.nodes.at(kKey).pid, 1);
  EXPECT_TRUE(observed.arrivals.empty());
}

TEST_F(NodePlacesTest, WhatTheOldHostSawCountsNoMore) {
  change();
  tell(kOld, 1);
  observed.dead_since[kKey] = Monotonic();
  node().host = {};
  change();
  EXPECT_TRUE(observed.nodes.empty());
  EXPECT_TRUE(observed.dead_since.empty());
  node().host = kNew;
  change();
  tell(kNew, 2);
  change();
  EXPECT_EQ(observed.nodes.at(kKey).pid, 2);
}

}  // namespace
}  // namespace hikae::control
