#pragma once

#include <string>

#include <gtest/gtest.h>

#include "core/admission/ec2_security_group.h"
#include "core/admission/ec2_subnet.h"
#include "core/admission/ec2_vpc.h"
#include "core/admission/region.h"
#include "core/state/invariants.h"

namespace hikae::core {

// A region of three zones as it is after its first start, for the tests of EC2's families.
class Ec2World : public ::testing::Test {
 protected:
  void SetUp() override {
    CreateRegion command;
    command.name = "ap-northeast-1";
    command.account_id = "123456789012";
    command.domain = "cache.hikae.internal";
    command.zones = {ZoneName("ap-northeast-1a"), ZoneName("ap-northeast-1b"),
                     ZoneName("ap-northeast-1c")};
    auto transition = initial_region(command, context());
    ASSERT_TRUE(transition);
    apply(*transition);
  }

  AdmissionContext context() { return {Instant(1'412'000'000'000'000), random_}; }

  void apply(const Transition& transition) {
    state.apply(transition, state.revision().next());
    EXPECT_EQ(broken_invariant(state, transition), std::nullopt);
  }

  // Applies what was admitted and answers the thing made; fails the test on a refusal.
  template <class T>
  T make(Admitted<Made<T>> made) {
    if (!made) {
      ADD_FAILURE() << made.error().code << ": " << made.error().message;
      return T{};
    }
    apply(made->transition);
    return made->value;
  }
  void change(const Admitted<Transition>& transition) {
    ASSERT_TRUE(transition) << transition.error().code << ": " << transition.error().message;
    apply(*transition);
  }

  Vpc new_vpc(const std::string& cidr) {
    CreateVpc command;
    command.cidr = cidr;
    return make(create_vpc(state, command, context()));
  }
  Subnet new_subnet(const Vpc& vpc, const std::string& cidr, const std::string& zone) {
    CreateSubnet command;
    command.vpc = vpc.id;
    command.cidr = cidr;
    command.zone = zone;
    return make(create_subnet(state, command, context()));
  }
  SecurityGroup new_group(const Vpc& vpc, const std::string& name) {
    CreateSecurityGroup command;
    command.vpc = vpc.id;
    command.name = name;
    command.description = "of a test";
    return make(create_security_group(state, command, context()));
  }
  // A node of a standalone cluster, placed in `subnet`.
  void place_cluster(const std::string& id, const Subnet& subnet, const SecurityGroup& group) {
    CacheCluster cluster;
    cluster.id = CacheClusterId(id);
    cluster.settings.security_groups = {group.id};
    Node node;
    node.id = NodeId("0001");
    node.subnet = subnet.id;
    node.zone = subnet.zone;
    cluster.nodes.push_back(node);
    Transition transition;
    transition.put(std::move(cluster));
    // Not through apply(): the rest of a real cluster does not matter here.
    state.apply(transition, state.revision().next());
  }

  template <class T>
  std::string code_of(const Admitted<T>& refused) {
    return refused ? "admitted" : refused.error().code;
  }
  template <class T>
  std::string message_of(const Admitted<T>& refused) {
    return refused ? "admitted" : refused.error().message;
  }

  State state;

 private:
  SeededRandom random_{7};
};

}  // namespace hikae::core
