// The generated readers and writers, on real shapes.
#include <string>

#include <gtest/gtest.h>

#include "api/generated/ec2_codec.h"
#include "api/generated/elasticache_codec.h"
#include "codec/query/query_node.h"
#include "codec/xml/xml_writer.h"

namespace hikae::api {
namespace {

constexpr ApiVersion k2014(20140930);
constexpr ApiVersion k2015(20150202);

codec::QueryTree tree_of(std::string_view text) {
  const auto form = codec::Form::parse(text);
  EXPECT_TRUE(form.has_value()) << text;
  auto tree = codec::build_query_tree(*form);
  EXPECT_TRUE(tree.has_value()) << text;
  return std::move(*tree);
}

// Code and message of the first fault, or "".
template <class T>
std::string read_into(T& out, std::string_view text, Dialect dialect = Dialect::kQuery,
                      ApiVersion version = k2015) {
  const codec::QueryTree tree = tree_of(text);
  ReadContext context(dialect, version);
  out = T();
  read(tree.root(), out, context);
  return context.fault() ? context.fault()->code + ": " + context.fault()->message : "";
}

template <class T>
std::string written(const T& value, ApiVersion version) {
  codec::XmlWriter xml;
  WriteContext context{.out = xml, .version = version};
  write_value(context, "X", value);
  return xml.take();
}

TEST(Reader, ReadsListsWithAnyInfix) {
  for (const char* infix : {"SubnetIdentifier", "member"}) {
    elasticache::CreateCacheSubnetGroupMessage input;
    const std::string list = std::string("&SubnetIds.") + infix;
    EXPECT_EQ(read_into(input, "CacheSubnetGroupName=foo&CacheSubnetGroupDescription=d" + list +
                                   ".2=subnet-b" + list + ".1=subnet-a"),
              "");
    EXPECT_EQ(input.subnet_ids, (std::vector<std::string>{"subnet-a", "subnet-b"}));
  }
}

TEST(Reader, TellsAnAbsentListFromAnEmptyOne) {
  elasticache::CreateCacheSubnetGroupMessage input;
  const std::string others = "CacheSubnetGroupName=foo&CacheSubnetGroupDescription=d";
  EXPECT_EQ(read_into(input, others),
            "MissingParameter: The parameter SubnetIds must be provided.");
  EXPECT_EQ(read_into(input, others + "&SubnetIds="),
            "InvalidParameterValue: The parameter SubnetIds must be provided.");
}

TEST(Reader, NestedStructuresAndListsOfLists) {
  elasticache::CreateReplicationGroupMessage input;
  const std::string shard = "&NodeGroupConfiguration.NodeGroupConfiguration.1.";
  EXPECT_EQ(read_into(input, "ReplicationGroupId=g&ReplicationGroupDescription=d" + shard +
                                 "Slots=0-99" + shard + "ReplicaCount=2" + shard +
                                 "ReplicaAvailabilityZones.AvailabilityZone.1=a" + shard +
                                 "ReplicaAvailabilityZones.AvailabilityZone.2=b"),
            "");
  ASSERT_EQ(input.node_group_configuration->size(), 1u);
  const auto& configuration = input.node_group_configuration->front();
  EXPECT_EQ(configuration.slots, "0-99");
  EXPECT_EQ(configuration.replica_count, 2);
  EXPECT_EQ(configuration.replica_availability_zones, (std::vector<std::string>{"a", "b"}));
}

TEST(Reader, NamesTheWholePathOfANestedMistake) {
  elasticache::CreateReplicationGroupMessage input;
  EXPECT_EQ(read_into(input,
                      "ReplicationGroupId=g&ReplicationGroupDescription=d"
                      "&NodeGroupConfiguration.member.1.ReplicaCount=two"),
            "InvalidParameterValue: Invalid value two for "
            "NodeGroupConfiguration.1.ReplicaCount. Must be an integer");
}

// The user guide of 2014 spells two members its own way and gives no description.
TEST(Reader, AcceptsTheSpellingsOfTheOldGuide) {
  elasticache::CreateReplicationGroupMessage input;
  EXPECT_EQ(read_into(input, "AutomaticFailover=true&NumCacheNodes=3&ReplicationGroupId=my-rg",
                      Dialect::kQuery, k2014),
            "");
  EXPECT_EQ(input.automatic_failover_enabled, true);
  EXPECT_EQ(input.num_cache_clusters, 3);
  EXPECT_FALSE(input.replication_group_description);

  elasticache::CreateReplicationGroupMessage modern;
  EXPECT_EQ(read_into(modern, "NumCacheClusters=3&ReplicationGroupId=my-rg"),
            "MissingParameter: The parameter ReplicationGroupDescription must be provided.");
}

TEST(Reader, ChecksConstraints) {
  elasticache::DescribeEventsMessage input;
  EXPECT_EQ(read_into(input, "MaxRecords=19"),
            "InvalidParameterValue: Invalid value 19 for MaxRecords. Must be between 20 and 100");
  EXPECT_EQ(read_into(input, "MaxRecords=100&SourceType=cache-cluster"), "");
  EXPECT_EQ(read_into(input, "SourceType=cluster").substr(0, 66),
            "InvalidParameterValue: Invalid value cluster for SourceType. Must ");
  EXPECT_EQ(read_into(input, "StartTime=yesterday"),
            "InvalidParameterValue: Invalid value yesterday for StartTime. "
            "Must be a time in ISO 8601");
  EXPECT_EQ(read_into(input, "StartTime=2014-10-01T00:00:00Z"), "");
  EXPECT_EQ(input.start_time, Instant(1'412'121'600'000'000));
}

TEST(Reader, CountsTagLengthsInCharacters) {
  elasticache::AddTagsToResourceMessage input;
  std::string key;
  for (int i = 0; i < 128; ++i) {
    key += "%E3%82%AD";  // three bytes each
  }
  EXPECT_EQ(read_into(input, "ResourceName=arn&Tags.Tag.1.Key=" + key), "");
  EXPECT_NE(read_into(input, "ResourceName=arn&Tags.Tag.1.Key=" + key + "a"), "");
}

TEST(Reader, IgnoresMembersThatTheVersionDoesNotHave) {
  elasticache::CreateReplicationGroupMessage input;
  EXPECT_EQ(read_into(input, "ReplicationGroupId=g&ReplicationGroupDescription=d&ClusterMode=bogus",
                      Dialect::kQuery, k2014),
            "");
  EXPECT_FALSE(input.cluster_mode);
}

TEST(Reader, Ec2ListsAreFlatAndNamesCapitalised) {
  ec2::AuthorizeSecurityGroupIngressRequest input;
  EXPECT_EQ(read_into(input,
                      "GroupId=sg-1&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=6379"
                      "&IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0%2F8"
                      "&IpPermissions.1.Groups.1.GroupId=sg-2&DryRun=false",
                      Dialect::kEc2),
            "");
  ASSERT_EQ(input.ip_permissions->size(), 1u);
  const ec2::IpPermission& permission = input.ip_permissions->front();
  EXPECT_EQ(permission.from_port, 6379);
  EXPECT_EQ(permission.ip_ranges->at(0).cidr_ip, "10.0.0.0/8");
  EXPECT_EQ(permission.user_id_group_pairs->at(0).group_id, "sg-2");
  EXPECT_EQ(input.dry_run, false);

  ec2::DeleteVpcRequest missing;
  EXPECT_EQ(read_into(missing, "", Dialect::kEc2),
            "MissingParameter: The request must contain the parameter VpcId");
}

TEST(Writer, KeepsTheModelsOrderAndItemNames) {
  elasticache::CacheSubnetGroup group;
  group.subnets.emplace().push_back({.subnet_identifier = "subnet-a"});
  group.subnets->front().subnet_availability_zone.emplace().name = "ap-northeast-1b";
  group.cache_subnet_group_name = "foosubnet";
  group.vpc_id = "vpc-1";
  EXPECT_EQ(written(group, k2015),
            "<X><CacheSubnetGroupName>foosubnet</CacheSubnetGroupName><VpcId>vpc-1</VpcId>"
            "<Subnets><Subnet><SubnetIdentifier>subnet-a</SubnetIdentifier>"
            "<SubnetAvailabilityZone><Name>ap-northeast-1b</Name></SubnetAvailabilityZone>"
            "</Subnet></Subnets></X>");
}

TEST(Writer, LeavesOutWhatAnOldModelDoesNotHave) {
  elasticache::ReplicationGroup group;
  group.replication_group_id = "foo";
  group.multi_az = "enabled";
  group.pending_modified_values.emplace();
  group.member_clusters.emplace();
  EXPECT_EQ(written(group, k2015),
            "<X><ReplicationGroupId>foo</ReplicationGroupId><PendingModifiedValues/>"
            "<MemberClusters/><MultiAZ>enabled</MultiAZ></X>");
  EXPECT_EQ(written(group, k2014),
            "<X><ReplicationGroupId>foo</ReplicationGroupId><PendingModifiedValues/>"
            "<MemberClusters/></X>");
}

TEST(Writer, Ec2UsesLowerCamelNamesAndItems) {
  ec2::DescribeVpcsResult result;
  result.vpcs.emplace().push_back({.is_default = true, .vpc_id = "vpc-1"});
  EXPECT_EQ(written(result, ApiVersion(20161115)),
            "<X><vpcSet><item><isDefault>true</isDefault><vpcId>vpc-1</vpcId></item></vpcSet></X>");
}

}  // namespace
}  // namespace hikae::api
