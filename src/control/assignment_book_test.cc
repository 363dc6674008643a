#include "control/assignment_book.h"

#include <map>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "core/testing/world.h"

namespace hikae::control {
namespace {

using core::HostId;
using core::NodeKey;

NodeKey key_of(const std::string& cluster) {
  return {core::CacheClusterId(cluster), core::NodeId("0001")};
}

// What was sent last to each host.
struct NewestAssignments final : AgentLink {
  void assign(core::Assignment assignment) override {
    HostId host = assignment.host;
    all[host] = std::move(assignment);
  }
  std::map<HostId, core::Assignment> all;
};

// A group `foo` of three whose primary, foo-001, takes writes by a lease under a keeper. It is
// told whom to count on with the first message, which its agent has not acknowledged yet.
class BookTest : public ::testing::Test {
 protected:
  BookTest() {
    world_.make_group("foo", 3);
    core::Transition hosts;
    for (const auto& [id, host] : world_.state.all<core::Host>()) {
      core::Host able = host;
      able.fences = able.keeps = true;
      hosts.put(std::move(able));
    }
    world_.apply(hosts);
    world_.observed.grants_leases = true;
    for (auto& [node, seen] : world_.observed.nodes) {
      seen.has_fence = seen.kept = true;
      seen.fenced = seen.role == core::Role::kPrimary;
    }
    world_.settle_group("foo");
    tell();
  }

  // Every host is told what is new.
  void tell(AssignmentBook& book) {
    book.refresh({unit_});
    io_.restart();
    io_.poll();
  }
  void tell() { tell(book_); }
  const HostId& host_of(const std::string& cluster) {
    return world_.cluster(cluster).nodes[0].host;
  }
  const core::Assignment& sent_to_primary() { return link_.all.at(host_of("foo-001")); }
  std::set<NodeKey> acknowledge() {
    return book_.acknowledge(host_of("foo-001"), sent_to_primary().ticket);
  }
  bool is_counted(const std::string& cluster) {
    book_.mark(unit_);
    return world_.observed.counted.contains(key_of(cluster));
  }
  void set_status(const std::string& cluster, const std::string& status) {
    core::CacheCluster changed = world_.cluster(cluster);
    changed.status = status;
    put(std::move(changed));
  }
  template <class Resource>
  void put(Resource resource) {
    core::Transition change;
    change.put(std::move(resource));
    world_.apply(change);
  }

  const Unit unit_{Unit::Kind::kGroup, "foo"};
  boost::asio::io_context io_{1};
  core::World world_;
  NewestAssignments link_;
  AssignmentBook book_{io_.get_executor(), world_.state, world_.observed, link_, Instant(1)};
};

TEST_F(BookTest, AReplicaIsCountedOnOnceTheMessageThatNamesItWasAcknowledged) {
  EXPECT_FALSE(is_counted("foo-002"));
  acknowledge();
  EXPECT_TRUE(is_counted("foo-002"));
  EXPECT_TRUE(is_counted("foo-003"));
  EXPECT_FALSE(is_counted("foo-001")) << "nobody counts on the primary";
}

TEST_F(BookTest, ThatItBecameCertainIsNewsOfThePrimaryAndNoNewsTheSecondTime) {
  EXPECT_TRUE(acknowledge().contains(key_of("foo-001")));
  EXPECT_FALSE(acknowledge().contains(key_of("foo-001")));
}

TEST_F(BookTest, TheAgentOfAReplicaSaysNothingOfThat) {
  const HostId& host = host_of("foo-002");
  book_.acknowledge(host, link_.all.at(host).ticket);
  EXPECT_FALSE(is_counted("foo-002"));
}

TEST_F(BookTest, OneThatIsNamedAgainHasToBeAcknowledgedAgain) {
  acknowledge();
  set_status("foo-003", "creating");
  tell();
  const core::AssignmentTicket without = sent_to_primary().ticket;
  EXPECT_FALSE(is_counted("foo-003")) << "it may not be by the newest message";
  set_status("foo-003", "available");
  tell();
  EXPECT_FALSE(is_counted("foo-003"));
  book_.acknowledge(host_of("foo-001"), without);
  EXPECT_FALSE(is_counted("foo-003")) << "that was the message that did not name it";
  acknowledge();
  EXPECT_TRUE(is_counted("foo-003"));
  EXPECT_TRUE(is_counted("foo-002"));
}

TEST_F(BookTest, OthersStayCountedOnMeanwhile) {
  acknowledge();
  set_status("foo-003", "creating");
  tell();
  EXPECT_TRUE(is_counted("foo-002"));
}

TEST_F(BookTest, ANewAddressHasToBeAcknowledged) {
  acknowledge();
  core::CacheCluster moved = world_.cluster("foo-003");
  const Ipv4 before = moved.nodes[0].address;
  moved.nodes[0].address = Ipv4(before.bits() + 100);
  put(std::move(moved));
  tell();
  EXPECT_FALSE(is_counted("foo-003"));
  acknowledge();
  EXPECT_TRUE(is_counted("foo-003"));
}

TEST_F(BookTest, ANewEpochHasToBeAcknowledged) {
  acknowledge();
  core::ReplicationGroup group = world_.group("foo");
  group.node_groups[0].epoch = group.node_groups[0].epoch.next();
  put(std::move(group));
  tell();
  EXPECT_FALSE(is_counted("foo-002"));
  acknowledge();
  EXPECT_TRUE(is_counted("foo-002"));
}

TEST_F(BookTest, WithoutAKeeperTheReplicasSayThemselvesThatTheyAreCountedOn) {
  acknowledge();
  for (auto& [node, seen] : world_.observed.nodes) {
    seen.kept = false;
  }
  world_.settle_group("foo");
  tell();
  acknowledge();
  ASSERT_TRUE(sent_to_primary().nodes.front()->lease);
  EXPECT_FALSE(is_counted("foo-002"));
}

TEST_F(BookTest, ANewSessionBeginsWithNobody) {
  const core::AssignmentTicket old = sent_to_primary().ticket;
  acknowledge();
  world_.observed.counted.clear();
  AssignmentBook next(io_.get_executor(), world_.state, world_.observed, link_, Instant(2));
  tell(next);
  next.acknowledge(host_of("foo-001"), old);
  next.mark(unit_);
  EXPECT_TRUE(world_.observed.counted.empty());
  next.acknowledge(host_of("foo-001"), sent_to_primary().ticket);
  next.mark(unit_);
  EXPECT_TRUE(world_.observed.counted.contains(key_of("foo-002")));
}

}  // namespace
}  // namespace hikae::control
