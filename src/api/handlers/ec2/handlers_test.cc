#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "api/generated/ec2_handlers.h"
#include "api/generated/sts_handlers.h"
#include "control/frontend.h"
#include "core/admission/region.h"

namespace hikae::api::ec2::handlers {
namespace {

class FakeStore final : public control::Store {
 public:
  control::Awaitable<Result<core::State>> load() override { co_return core::State(); }
  control::Awaitable<Status> commit(core::Transition, core::Revision,
                                    std::optional<control::LeaderTerm>) override {
    ++commits;
    co_return Status();
  }
  int commits = 0;
};

class FakeClock final : public control::Clock {
 public:
  Instant now() const override { return Instant(1'412'000'000'000'000); }
  Monotonic monotonic() const override { return Monotonic(); }
  control::Awaitable<void> sleep_until(Monotonic) override { co_return; }
};

class QuietLog final : public control::Log {
 public:
  void info(std::string_view) override {}
  void warn(std::string_view) override {}
  void error(std::string_view line) override { ADD_FAILURE() << line; }
};

// The handlers over a real frontend and a store that always succeeds.
class Ec2HandlersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(run(frontend_.open()));
    control::Frontend::Decision first_start = [](const core::State&,
                                                 core::AdmissionContext admission) {
      core::CreateRegion command;
      command.name = "ap-northeast-1";
      command.account_id = "123456789012";
      command.domain = "cache.hikae.internal";
      command.zones = {core::ZoneName("ap-northeast-1a"), core::ZoneName("ap-northeast-1b")};
      return core::initial_region(command, admission);
    };
    ASSERT_TRUE(run(frontend_.submit(std::move(first_start))));
  }

  template <class T>
  T run(boost::asio::awaitable<T> work) {
    std::optional<T> result;
    boost::asio::co_spawn(io_, std::move(work), [&](std::exception_ptr error, T value) {
      ASSERT_FALSE(error);
      result.emplace(std::move(value));
    });
    io_.restart();
    io_.run();
    return std::move(result).value();
  }

  std::string new_vpc(const std::string& cidr) {
    CreateVpcRequest request;
    request.cidr_block = cidr;
    return *run(create_vpc(context, request))->vpc->vpc_id;
  }

  boost::asio::io_context io_{1};
  FakeStore store_;
  FakeClock clock_;
  SeededRandom random_{3};
  QuietLog log_;
  control::Frontend frontend_{io_.get_executor(), store_, clock_, random_, log_};
  HandlerContext context{&frontend_, Caller{"AKIA", "123456789012"}, "ap-northeast-1", "request",
                         ApiVersion(20161115)};
};

TEST_F(Ec2HandlersTest, ArticleMakesVpcSubnetsAndGroup) {
  const std::string vpc = new_vpc("10.0.0.0/16");
  CreateSubnetRequest subnet;
  subnet.vpc_id = vpc;
  subnet.cidr_block = "10.0.1.0/24";
  subnet.availability_zone = "ap-northeast-1b";
  subnet.tag_specifications = {
      TagSpecification{.resource_type = "subnet", .tags = {{Tag{.key = "Name", .value = "b"}}}}};
  const auto made = run(create_subnet(context, subnet));
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->subnet->available_ip_address_count, 251);
  EXPECT_EQ(made->subnet->availability_zone_id, "apne1-az2");

  DescribeSubnetsRequest by_tag;
  by_tag.filters = {Filter{.name = "tag:Name", .values = {{"b"}}},
                    Filter{.name = "vpc-id", .values = {{vpc}}}};
  const auto found = run(describe_subnets(context, by_tag));
  ASSERT_TRUE(found);
  ASSERT_EQ(found->subnets->size(), 1u);
  EXPECT_EQ(found->subnets->front().subnet_id, made->subnet->subnet_id);

  CreateSecurityGroupRequest group;
  group.vpc_id = vpc;
  group.group_name = "cache";
  group.description = "cache clients";
  const auto group_id = run(create_security_group(context, group))->group_id;
  AuthorizeSecurityGroupIngressRequest allow;
  allow.group_id = group_id;
  IpPermission redis;
  redis.ip_protocol = "tcp";
  redis.from_port = 6379;
  redis.to_port = 6379;
  redis.ip_ranges = {IpRange{.description = "all of us", .cidr_ip = "10.0.0.0/8"}};
  redis.user_id_group_pairs = {UserIdGroupPair{}};
  redis.user_id_group_pairs->front().group_id = group_id;
  allow.ip_permissions = {redis};
  const auto allowed = run(authorize_security_group_ingress(context, allow));
  ASSERT_TRUE(allowed) << allowed.error().message;
  EXPECT_EQ(allowed->security_group_rules->size(), 2u);

  DescribeSecurityGroupsRequest describe;
  describe.group_ids = {*group_id};
  const auto groups = run(describe_security_groups(context, describe));
  ASSERT_TRUE(groups);
  const auto& permissions = *groups->security_groups->front().ip_permissions;
  ASSERT_EQ(permissions.size(), 1u);
  EXPECT_EQ(permissions[0].ip_ranges->front().description, "all of us");
  EXPECT_EQ(permissions[0].user_id_group_pairs->front().group_id, group_id);
}

TEST_F(Ec2HandlersTest, DryRunsDecideButChangeNothing) {
  const int before = store_.commits;
  CreateVpcRequest request;
  request.cidr_block = "10.0.0.0/16";
  request.dry_run = true;
  EXPECT_EQ(run(create_vpc(context, request)).error().code, "DryRunOperation");
  request.cidr_block = "10.0.0.0/8";
  EXPECT_EQ(run(create_vpc(context, request)).error().code, "InvalidVpc.Range");
  EXPECT_EQ(store_.commits, before);
  DescribeVpcsRequest describe;
  describe.dry_run = true;
  EXPECT_EQ(run(describe_vpcs(context, describe)).error().code, "DryRunOperation");
}

TEST_F(Ec2HandlersTest, DescribesPageAndRefuseUnknownIds) {
  for (int i = 0; i < 6; ++i) {
    new_vpc("10.0.0.0/16");
  }
  DescribeVpcsRequest request;
  request.max_results = 5;
  const auto first = run(describe_vpcs(context, request));
  ASSERT_TRUE(first && first->next_token);
  EXPECT_EQ(first->vpcs->size(), 5u);
  request.next_token = first->next_token;
  const auto second = run(describe_vpcs(context, request));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->vpcs->size(), 2u);
  EXPECT_FALSE(second->next_token);

  DescribeVpcsRequest unknown;
  unknown.vpc_ids = {{"vpc-0"}};
  EXPECT_EQ(run(describe_vpcs(context, unknown)).error().code, "InvalidVpcID.NotFound");
}

TEST_F(Ec2HandlersTest, TerraformFindsWhatAVpcComesWith) {
  const std::string vpc = new_vpc("10.0.0.0/16");
  const Filter in_vpc{.name = "vpc-id", .values = {{vpc}}};
  DescribeRouteTablesRequest tables;
  tables.filters = {in_vpc, Filter{.name = "association.main", .values = {{"true"}}}};
  const auto table = run(describe_route_tables(context, tables));
  ASSERT_TRUE(table);
  ASSERT_EQ(table->route_tables->size(), 1u);
  EXPECT_EQ(table->route_tables->front().routes->front().destination_cidr_block, "10.0.0.0/16");
  DescribeNetworkAclsRequest acls;
  acls.filters = {in_vpc, Filter{.name = "default", .values = {{"true"}}}};
  EXPECT_EQ(run(describe_network_acls(context, acls))->network_acls->size(), 1u);
  DescribeSecurityGroupsRequest groups;
  groups.filters = {in_vpc, Filter{.name = "group-name", .values = {{"default"}}}};
  EXPECT_EQ(run(describe_security_groups(context, groups))->security_groups->size(), 1u);
  DescribeVpcAttributeRequest attribute;
  attribute.vpc_id = vpc;
  attribute.attribute = "enableDnsSupport";
  EXPECT_EQ(run(describe_vpc_attribute(context, attribute))->enable_dns_support->value, true);
}

TEST_F(Ec2HandlersTest, PlacedNodesHaveNetworkInterfaces) {
  const auto& subnet = frontend_.state().all<core::Subnet>().begin()->second;
  control::Frontend::Decision place =
      [&](const core::State&, core::AdmissionContext) -> core::Admitted<core::Transition> {
    core::SubnetGroup group;
    group.name = core::SubnetGroupName("g");
    group.vpc = subnet.vpc;
    group.subnets = {subnet.id};
    core::CacheCluster cluster;
    cluster.id = core::CacheClusterId("foo-001");
    cluster.settings.subnet_group = group.name;
    core::Node node;
    node.id = core::NodeId("0001");
    node.host = core::HostId("local-" + subnet.zone.str());
    node.zone = subnet.zone;
    node.subnet = subnet.id;
    node.vpc_address = subnet.cidr.at(4);
    node.address = *Ipv4::parse("127.64.0.4");
    node.network_interface = core::NetworkInterfaceId("eni-0123");
    cluster.nodes = {node};
    core::Transition transition;
    transition.put(group);
    transition.put(cluster);
    return transition;
  };
  ASSERT_TRUE(run(frontend_.submit(std::move(place))));
  DescribeNetworkInterfacesRequest request;
  request.filters = {Filter{.name = "subnet-id", .values = {{subnet.id.str()}}}};
  const auto found = run(describe_network_interfaces(context, request));
  ASSERT_TRUE(found);
  ASSERT_EQ(found->network_interfaces->size(), 1u);
  EXPECT_EQ(found->network_interfaces->front().description, "ElastiCache foo-001");
  EXPECT_EQ(found->network_interfaces->front().vpc_id, subnet.vpc.str());
}

TEST_F(Ec2HandlersTest, ZonesAndCaller) {
  DescribeAvailabilityZonesRequest zones;
  zones.zone_names = {{"ap-northeast-1b"}};
  const auto found = run(describe_availability_zones(context, zones));
  ASSERT_TRUE(found);
  ASSERT_EQ(found->availability_zones->size(), 1u);
  EXPECT_EQ(found->availability_zones->front().zone_id, "apne1-az2");
  zones.zone_names = {{"ap-northeast-1x"}};
  EXPECT_EQ(run(describe_availability_zones(context, zones)).error().code, "InvalidParameterValue");
  const auto caller = run(sts::handlers::get_caller_identity(context, {}));
  ASSERT_TRUE(caller);
  EXPECT_EQ(caller->arn, "arn:aws:iam::123456789012:root");
}

}  // namespace
}  // namespace hikae::api::ec2::handlers
