// Writing the answer of DescribeReplicationGroups: from the generated structs to XML.
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "api/generated/elasticache_codec.h"
#include "codec/xml/xml_writer.h"

namespace {

using namespace hikae::api::elasticache;  // NOLINT: a bench of this namespace's shapes

Endpoint endpoint(std::string name) {
  Endpoint out;
  out.address = std::move(name);
  out.port = 6379;
  return out;
}

ReplicationGroup group(int number) {
  const std::string id = fmt::format("group-{:04}", number);
  ReplicationGroup out;
  out.replication_group_id = id;
  out.description = "of a bench";
  out.status = "available";
  out.pending_modified_values.emplace();
  NodeGroup shard;
  shard.node_group_id = "0001";
  shard.status = "available";
  shard.primary_endpoint =
      endpoint(fmt::format("{}.abcdef.ng.0001.apne1.cache.hikae.internal", id));
  shard.node_group_members.emplace();
  out.member_clusters.emplace();
  for (int i = 1; i <= 3; ++i) {
    NodeGroupMember member;
    member.cache_cluster_id = fmt::format("{}-{:03}", id, i);
    member.cache_node_id = "0001";
    member.read_endpoint =
        endpoint(fmt::format("{}-{:03}.abcdef.0001.apne1.cache.hikae.internal", id, i));
    member.preferred_availability_zone = "ap-northeast-1a";
    member.current_role = i == 1 ? "primary" : "replica";
    out.member_clusters->push_back(*member.cache_cluster_id);
    shard.node_group_members->push_back(std::move(member));
  }
  out.node_groups.emplace().push_back(std::move(shard));
  out.automatic_failover = "enabled";
  out.cluster_enabled = false;
  out.cache_node_type = "cache.m3.medium";
  out.arn = fmt::format("arn:aws:elasticache:ap-northeast-1:123456789012:replicationgroup:{}", id);
  out.replication_group_create_time = hikae::Instant(1'766'000'000'000'000);
  return out;
}

// The argument is the number of groups in the answer; 100 is the largest page.
void BM_WriteDescribeAnswer(benchmark::State& state) {
  ReplicationGroupMessage message;
  message.replication_groups.emplace();
  for (int i = 0; i < state.range(0); ++i) {
    message.replication_groups->push_back(group(i));
  }
  std::size_t size = 0;
  for (auto _ : state) {
    hikae::codec::XmlWriter out;
    hikae::api::WriteContext context{.out = out, .version = hikae::api::ApiVersion(20150202)};
    out.begin_structure("DescribeReplicationGroupsResult");
    write_members(context, message);
    out.end_structure();
    size = out.str().size();
    benchmark::DoNotOptimize(out.str().data());
  }
  state.SetBytesProcessed(std::int64_t(state.iterations()) * std::int64_t(size));
}
BENCHMARK(BM_WriteDescribeAnswer)->Arg(1)->Arg(100);

}  // namespace
