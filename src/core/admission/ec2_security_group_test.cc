#include "core/admission/ec2_security_group.h"

#include <gtest/gtest.h>

#include "core/admission/ec2_test_world.h"

namespace hikae::core {
namespace {

class Ec2SecurityGroupTest : public Ec2World {
 protected:
  void SetUp() override {
    Ec2World::SetUp();
    vpc = new_vpc("10.0.0.0/16");
    group = new_group(vpc, "cache");
  }
  Admitted<Made<SecurityGroup>> create(const std::string& name, const std::string& description) {
    CreateSecurityGroup command;
    command.vpc = vpc.id;
    command.name = name;
    command.description = description;
    return create_security_group(state, command, context());
  }
  static RuleSpec tcp(int from, int to, const std::string& cidr) {
    RuleSpec spec;
    spec.protocol = "tcp";
    spec.from_port = from;
    spec.to_port = to;
    spec.cidr_ipv4 = cidr;
    return spec;
  }
  Admitted<Made<std::vector<SecurityGroupRule>>> authorize(std::vector<RuleSpec> rules) {
    AuthorizeRules command;
    command.group = group.id;
    command.rules = std::move(rules);
    return authorize_rules(state, command, context());
  }
  Admitted<Made<std::vector<SecurityGroupRule>>> revoke(std::vector<RuleSpec> rules,
                                                        bool egress = false) {
    RevokeRules command;
    command.group = group.id;
    command.egress = egress;
    command.rules = std::move(rules);
    return revoke_rules(state, command);
  }
  std::size_t rule_count() { return state.find<SecurityGroup>(group.id)->rules.size(); }

  Vpc vpc;
  SecurityGroup group;
};

TEST_F(Ec2SecurityGroupTest, NamesAreChecked) {
  EXPECT_EQ(message_of(create("cache", "again")),
            "The security group 'cache' already exists for VPC '" + vpc.id.str() + "'");
  EXPECT_EQ(code_of(create("", "d")), "InvalidParameterValue");
  EXPECT_EQ(code_of(create("sg-mine", "d")), "InvalidParameterValue");
  EXPECT_EQ(code_of(create("default", "d")), "InvalidParameterValue");
  EXPECT_EQ(code_of(create("naïve", "d")), "InvalidParameterValue");
  EXPECT_EQ(code_of(create(std::string(256, 'a'), "d")), "InvalidParameterValue");
  EXPECT_EQ(code_of(create("ok", "bad\ndescription")), "InvalidParameterValue");
  EXPECT_EQ(code_of(create(std::string(255, 'a'), "good")), "admitted");
  // The same name in another VPC is another group.
  EXPECT_FALSE(new_group(new_vpc("10.0.0.0/16"), "cache").id.empty());
}

TEST_F(Ec2SecurityGroupTest, NewGroupLetsAllOut) {
  ASSERT_EQ(group.rules.size(), 1u);
  EXPECT_TRUE(group.rules[0].egress);
  EXPECT_EQ(group.rules[0].cidr_ipv4, "0.0.0.0/0");
  RuleSpec all;
  all.protocol = "-1";
  all.cidr_ipv4 = "0.0.0.0/0";
  make(revoke({all}, true));
  EXPECT_EQ(rule_count(), 0u);
  // Terraform takes the IPv6 rule away, too, and relies on this code.
  all.cidr_ipv4.clear();
  all.cidr_ipv6 = "::/0";
  EXPECT_EQ(code_of(revoke({all}, true)), "InvalidPermission.NotFound");
}

TEST_F(Ec2SecurityGroupTest, RulesAreAuthorizedOnceAndRevoked) {
  const auto rules = make(authorize({tcp(6379, 6379, "10.0.0.9/8")}));
  ASSERT_EQ(rules.size(), 1u);
  EXPECT_EQ(rules[0].cidr_ipv4, "10.0.0.0/8");
  EXPECT_TRUE(rules[0].id.str().starts_with("sgr-"));
  const auto again = authorize({tcp(6379, 6379, "10.0.0.0/8")});
  EXPECT_EQ(code_of(again), "InvalidPermission.Duplicate");
  EXPECT_EQ(message_of(again),
            "the specified rule \"peer: 10.0.0.0/8, TCP, from port: 6379, to port: 6379, ALLOW\" "
            "already exists");
  EXPECT_EQ(code_of(authorize({tcp(1, 2, "10.0.0.0/8"), tcp(1, 2, "10.0.0.0/8")})),
            "InvalidParameterValue");
  EXPECT_EQ(rule_count(), 2u);

  EXPECT_EQ(code_of(revoke({tcp(6379, 6380, "10.0.0.0/8")})), "InvalidPermission.NotFound");
  EXPECT_EQ(make(revoke({tcp(6379, 6379, "10.0.0.0/8")})).front().id, rules[0].id);
  EXPECT_EQ(rule_count(), 1u);
}

TEST_F(Ec2SecurityGroupTest, RulesAreRevokedById) {
  const auto rules = make(authorize({tcp(6379, 6379, "10.0.0.0/8")}));
  RevokeRules command;
  command.group = group.id;
  command.egress = true;
  command.rule_ids = {rules[0].id};
  EXPECT_EQ(code_of(revoke_rules(state, command)), "InvalidSecurityGroupRuleId.NotFound");
  command.egress = false;
  make(revoke_rules(state, command));
  EXPECT_EQ(rule_count(), 1u);
  EXPECT_EQ(code_of(revoke_rules(state, command)), "InvalidSecurityGroupRuleId.NotFound");
}

TEST_F(Ec2SecurityGroupTest, ProtocolsAndPortsAreChecked) {
  const auto code = [&](const std::string& protocol, std::optional<int> from,
                        std::optional<int> to) {
    RuleSpec spec;
    spec.protocol = protocol;
    spec.from_port = from;
    spec.to_port = to;
    spec.cidr_ipv4 = "10.0.0.0/8";
    return code_of(authorize({spec}));
  };
  EXPECT_EQ(code("6", 6379, 6379), "admitted");
  EXPECT_EQ(code("TCP", 0, 65535), "admitted");
  EXPECT_EQ(code("-1", std::nullopt, std::nullopt), "admitted");
  EXPECT_EQ(code("icmp", 8, -1), "admitted");
  EXPECT_EQ(code("50", std::nullopt, std::nullopt), "admitted");
  EXPECT_EQ(code("tcp", std::nullopt, 1), "InvalidParameterValue");
  EXPECT_EQ(code("tcp", 2, 1), "InvalidParameterValue");
  EXPECT_EQ(code("udp", 1, 65536), "InvalidParameterValue");
  EXPECT_EQ(code("icmp", 256, 0), "InvalidParameterValue");
  EXPECT_EQ(code("256", 1, 1), "InvalidParameterValue");
  EXPECT_EQ(code("gopher", 1, 1), "InvalidParameterValue");
  EXPECT_EQ(code("", 1, 1), "MissingParameter");
  EXPECT_EQ(code_of(authorize({})), "MissingParameter");
}

TEST_F(Ec2SecurityGroupTest, PeersAreChecked) {
  RuleSpec spec = tcp(1, 1, "");
  EXPECT_EQ(code_of(authorize({spec})), "MissingParameter");
  spec.cidr_ipv4 = "10.0.0.0";
  EXPECT_EQ(message_of(authorize({spec})), "CIDR block 10.0.0.0 is malformed");
  spec.cidr_ipv4.clear();
  spec.peer_group = SecurityGroupId("web");
  EXPECT_EQ(code_of(authorize({spec})), "InvalidGroupId.Malformed");
  spec.peer_group = SecurityGroupId("sg-0");
  EXPECT_EQ(code_of(authorize({spec})), "InvalidGroup.NotFound");
  spec.peer_group = new_group(new_vpc("10.0.0.0/16"), "far").id;
  EXPECT_EQ(code_of(authorize({spec})), "InvalidGroup.NotFound");
  spec.peer_group = SecurityGroupId();
  spec.peer_group_name = "cache";
  EXPECT_EQ(make(authorize({spec})).front().peer_group, group.id);
}

TEST_F(Ec2SecurityGroupTest, RulesAreBounded) {
  std::vector<RuleSpec> rules;
  for (int port = 1; port <= int(kMaxRulesPerDirection); ++port) {
    rules.push_back(tcp(port, port, "10.0.0.0/8"));
  }
  make(authorize(rules));
  EXPECT_EQ(code_of(authorize({tcp(1000, 1000, "10.0.0.0/8")})),
            "RulesPerSecurityGroupLimitExceeded");
}

TEST_F(Ec2SecurityGroupTest, DeletionWaitsForUsers) {
  const SecurityGroup other = new_group(vpc, "web");
  RuleSpec from_other = tcp(6379, 6379, "");
  from_other.peer_group = other.id;
  make(authorize({from_other}));
  EXPECT_EQ(message_of(delete_security_group(state, other.id)),
            "resource " + other.id.str() + " has a dependent object");
  make(revoke({from_other}));
  change(delete_security_group(state, other.id));

  place_cluster("foo", new_subnet(vpc, "10.0.0.0/24", "ap-northeast-1a"), group);
  EXPECT_EQ(code_of(delete_security_group(state, group.id)), "DependencyViolation");
  for (const auto& [id, candidate] : state.all<SecurityGroup>()) {
    if (candidate.name == "default") {
      EXPECT_EQ(code_of(delete_security_group(state, id)), "CannotDelete");
    }
  }
}

TEST_F(Ec2SecurityGroupTest, NamesLeadToTheDefaultVpc) {
  EXPECT_EQ(code_of(find_security_group_by_name(state, "cache")), "InvalidGroup.NotFound");
  const auto found = find_security_group_by_name(state, "default");
  ASSERT_TRUE(found);
  EXPECT_EQ(state.find<SecurityGroup>(*found)->vpc, find_default_vpc(state)->id);
}

}  // namespace
}  // namespace hikae::core
