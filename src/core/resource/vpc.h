#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "core/resource/ids.h"
#include "core/resource/tags.h"

// The part of EC2 that ElastiCache stands on. Every struct lists its stored fields once, in
// visit(); the record codec reads and writes whatever is listed there.

namespace hikae::core {

struct Vpc {
  using Key = VpcId;
  static constexpr const char* kKind = "vpc";
  VpcId id;
  Cidr cidr;
  // The n-th VPC's address a.b.y.z is reachable as 127.(64+n).y.z on one machine. The smallest free
  // number is given at creation and freed by deletion.
  std::uint32_t ordinal = 0;
  bool is_default = false;
  bool dns_support = true;
  bool dns_hostnames = false;
  bool address_usage_metrics = false;
  std::string instance_tenancy = "default";
  Tags tags;
  const Key& key() const { return id; }
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("id", s.id);
    v("cidr", s.cidr);
    v("ordinal", s.ordinal);
    v("is_default", s.is_default);
    v("dns_support", s.dns_support);
    v("dns_hostnames", s.dns_hostnames);
    v("address_usage_metrics", s.address_usage_metrics);
    v("instance_tenancy", s.instance_tenancy);
    v("tags", s.tags);
  }
};

struct Subnet {
  using Key = SubnetId;
  static constexpr const char* kKind = "subnet";
  SubnetId id;
  VpcId vpc;
  Cidr cidr;
  ZoneName zone;
  bool default_for_az = false;
  bool map_public_ip_on_launch = false;
  Tags tags;
  const Key& key() const { return id; }
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("id", s.id);
    v("vpc", s.vpc);
    v("cidr", s.cidr);
    v("zone", s.zone);
    v("default_for_az", s.default_for_az);
    v("map_public_ip_on_launch", s.map_public_ip_on_launch);
    v("tags", s.tags);
  }
};

// One rule as DescribeSecurityGroupRules shows it: exactly one of the three peers is set.
struct SecurityGroupRule {
  SecurityGroupRuleId id;
  bool egress = false;
  std::string protocol = "-1";  // `tcp`, `udp`, `icmp`, a number, or `-1` for all
  std::optional<int> from_port;
  std::optional<int> to_port;
  std::string cidr_ipv4;
  std::string cidr_ipv6;
  SecurityGroupId peer_group;
  std::string description;
  Tags tags;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("id", s.id);
    v("egress", s.egress);
    v("protocol", s.protocol);
    v("from_port", s.from_port);
    v("to_port", s.to_port);
    v("cidr_ipv4", s.cidr_ipv4);
    v("cidr_ipv6", s.cidr_ipv6);
    v("peer_group", s.peer_group);
    v("description", s.description);
    v("tags", s.tags);
  }
};

struct SecurityGroup {
  using Key = SecurityGroupId;
  static constexpr const char* kKind = "security_group";
  SecurityGroupId id;
  VpcId vpc;
  std::string name;
  std::string description;
  std::vector<SecurityGroupRule> rules;
  Tags tags;
  const Key& key() const { return id; }
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("id", s.id);
    v("vpc", s.vpc);
    v("name", s.name);
    v("description", s.description);
    v("rules", s.rules);
    v("tags", s.tags);
  }
};

struct RouteTable {
  using Key = RouteTableId;
  static constexpr const char* kKind = "route_table";
  RouteTableId id;
  VpcId vpc;
  bool main = false;
  Tags tags;
  const Key& key() const { return id; }
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("id", s.id);
    v("vpc", s.vpc);
    v("main", s.main);
    v("tags", s.tags);
  }
};

struct InternetGateway {
  using Key = InternetGatewayId;
  static constexpr const char* kKind = "internet_gateway";
  InternetGatewayId id;
  VpcId vpc;  // empty while detached
  Tags tags;
  const Key& key() const { return id; }
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("id", s.id);
    v("vpc", s.vpc);
    v("tags", s.tags);
  }
};

// Only the default ACL of each VPC exists: clients read it, none of ElastiCache's uses another.
struct NetworkAcl {
  using Key = NetworkAclId;
  static constexpr const char* kKind = "network_acl";
  NetworkAclId id;
  VpcId vpc;
  Tags tags;
  const Key& key() const { return id; }
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("id", s.id);
    v("vpc", s.vpc);
    v("tags", s.tags);
  }
};

}  // namespace hikae::core
