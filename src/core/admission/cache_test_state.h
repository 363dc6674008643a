#pragma once

#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "base/random.h"
#include "core/admission/admission.h"
#include "core/state/invariants.h"

// A small region for the tests of subnet groups, parameter groups and tags: the default VPC with
// one subnet in each of two zones, a second VPC with one subnet, and the subnet group `sg`.
namespace hikae::core {

class CacheAdmissionTest : public testing::Test {
 protected:
  CacheAdmissionTest() {
    Region region;
    region.name = "ap-northeast-1";
    region.account_id = "123456789012";
    put(region);
    add_vpc("vpc-a", "10.0.0.0/16", true);
    add_vpc("vpc-b", "10.1.0.0/16", false);
    add_subnet("subnet-1", "vpc-a", "10.0.1.0/24", "ap-northeast-1b");
    add_subnet("subnet-2", "vpc-a", "10.0.2.0/24", "ap-northeast-1c");
    add_subnet("subnet-3", "vpc-b", "10.1.1.0/24", "ap-northeast-1c");
    SubnetGroup subnets;
    subnets.name = SubnetGroupName("sg");
    subnets.vpc = VpcId("vpc-a");
    subnets.subnets = {SubnetId("subnet-1")};
    put(subnets);
  }

  void apply(const Transition& transition) {
    state_.apply(transition, state_.revision().next());
    const auto broken = broken_invariant(state_, transition);
    EXPECT_FALSE(broken) << *broken;
  }
  template <class T>
  void put(T value) {
    Transition transition;
    transition.put(std::move(value));
    state_.apply(transition, state_.revision().next());
  }
  template <class Command>
  Admitted<Transition> decide(const Command& command) {
    return admit(state_, command, AdmissionContext{Instant(1'000'000), random_});
  }
  // Admits and applies; the code of the refusal, or `ok`.
  template <class Command>
  std::string perform(const Command& command) {
    const Admitted<Transition> transition = decide(command);
    if (!transition) {
      return transition.error().code;
    }
    apply(*transition);
    return "ok";
  }
  template <class Command>
  std::string message_of(const Command& command) {
    const Admitted<Transition> transition = decide(command);
    return transition ? "ok" : transition.error().message;
  }

  // A standalone cluster of one node in `subnet`, of `subnet_group` (which should exist).
  void add_cluster(const std::string& id, const std::string& subnet_group,
                   const std::string& parameter_group, const std::string& subnet) {
    CacheCluster cluster;
    cluster.id = CacheClusterId(id);
    cluster.status = "available";
    cluster.settings.engine = "redis";
    cluster.settings.subnet_group = SubnetGroupName(subnet_group);
    cluster.settings.parameter_group = ParameterGroupName(parameter_group);
    Node& node = cluster.nodes.emplace_back();
    node.id = NodeId("0001");
    node.subnet = SubnetId(subnet);
    put(cluster);
  }

  State state_;
  SeededRandom random_{1};

 private:
  void add_vpc(const std::string& id, const std::string& cidr, bool is_default) {
    Vpc vpc;
    vpc.id = VpcId(id);
    vpc.cidr = *Cidr::parse(cidr);
    vpc.is_default = is_default;
    put(vpc);
  }
  void add_subnet(const std::string& id, const std::string& vpc, const std::string& cidr,
                  const std::string& zone) {
    Subnet subnet;
    subnet.id = SubnetId(id);
    subnet.vpc = VpcId(vpc);
    subnet.cidr = *Cidr::parse(cidr);
    subnet.zone = ZoneName(zone);
    put(subnet);
  }
};

}  // namespace hikae::core
