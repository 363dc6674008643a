#include "core/admission/subnet_group.h"

#include "api/generated/elasticache_handlers.h"
#include "api/handlers/elasticache/common.h"

namespace hikae::api::elasticache::handlers {
namespace {

CacheSubnetGroup to_shape(const core::State& state, const core::SubnetGroup& group) {
  CacheSubnetGroup shape;
  shape.cache_subnet_group_name = group.name.str();
  shape.cache_subnet_group_description = group.description;
  shape.vpc_id = group.vpc.str();
  shape.arn = core::build_arn(state.region(), core::kArnSubnetGroup, group.name.str());
  shape.supported_network_types = {"ipv4"};
  auto& subnets = shape.subnets.emplace();
  for (const core::SubnetId& id : group.subnets) {
    Subnet& subnet = subnets.emplace_back();
    subnet.subnet_identifier = id.str();
    subnet.supported_network_types = {"ipv4"};
    if (const auto* known = state.find<core::Subnet>(id)) {
      subnet.subnet_availability_zone.emplace().name = known->zone.str();
    }
  }
  return shape;
}

// The group as it is after a change of it was committed.
ApiResult<CacheSubnetGroup> read_back(const core::State& state, const std::string& name) {
  const auto id = core::lookup_id<core::SubnetGroupName>(name);
  const auto* group = state.find<core::SubnetGroup>(id);
  if (group == nullptr) {
    return refused(core::subnet_group_not_found(id.str()));
  }
  return to_shape(state, *group);
}

}  // namespace

AsyncResult<CreateCacheSubnetGroupResult> create_cache_subnet_group(
    HandlerContext& context, CreateCacheSubnetGroupMessage input) {
  ApiResult<core::Tags> tags = read_tags(input.tags);
  if (!tags) {
    co_return tl::unexpected(tags.error());
  }
  core::CreateSubnetGroup command;
  command.name = *input.cache_subnet_group_name;
  command.description = *input.cache_subnet_group_description;
  command.subnets = *input.subnet_ids;
  command.tags = std::move(*tags);
  control::Frontend::Decision decide = decision_on(command);
  control::Frontend& frontend = context.frontend();
  auto committed = co_await frontend.submit(std::move(decide));
  if (!committed) {
    co_return refused(committed.error());
  }
  auto group = read_back(frontend.state(), command.name);
  if (!group) {
    co_return tl::unexpected(group.error());
  }
  CreateCacheSubnetGroupResult result;
  result.cache_subnet_group = std::move(*group);
  co_return result;
}

AsyncResult<ModifyCacheSubnetGroupResult> modify_cache_subnet_group(
    HandlerContext& context, ModifyCacheSubnetGroupMessage input) {
  core::ModifySubnetGroup command;
  command.name = *input.cache_subnet_group_name;
  command.description = input.cache_subnet_group_description;
  command.subnets = input.subnet_ids;
  control::Frontend::Decision decide = decision_on(command);
  control::Frontend& frontend = context.frontend();
  auto committed = co_await frontend.submit(std::move(decide));
  if (!committed) {
    co_return refused(committed.error());
  }
  auto group = read_back(frontend.state(), command.name);
  if (!group) {
    co_return tl::unexpected(group.error());
  }
  ModifyCacheSubnetGroupResult result;
  result.cache_subnet_group = std::move(*group);
  co_return result;
}

AsyncResult<NoOutput> delete_cache_subnet_group(HandlerContext& context,
                                                DeleteCacheSubnetGroupMessage input) {
  core::DeleteSubnetGroup command;
  command.name = *input.cache_subnet_group_name;
  control::Frontend::Decision decide = decision_on(command);
  control::Frontend& frontend = context.frontend();
  auto committed = co_await frontend.submit(std::move(decide));
  if (!committed) {
    co_return refused(committed.error());
  }
  co_return NoOutput();
}

AsyncResult<CacheSubnetGroupMessage> describe_cache_subnet_groups(
    HandlerContext& context, DescribeCacheSubnetGroupsMessage input) {
  const core::State& state = context.frontend().state();
  CacheSubnetGroupMessage answer;
  auto& groups = answer.cache_subnet_groups.emplace();
  if (input.cache_subnet_group_name) {
    auto group = read_back(state, *input.cache_subnet_group_name);
    if (!group) {
      co_return tl::unexpected(group.error());
    }
    groups.push_back(std::move(*group));
    co_return answer;
  }
  auto pager = Pager::open("DescribeCacheSubnetGroups", input.max_records, input.marker);
  if (!pager) {
    co_return tl::unexpected(pager.error());
  }
  for (const auto& [name, group] : state.all<core::SubnetGroup>()) {
    if (pager->take(name.str())) {
      groups.push_back(to_shape(state, group));
    }
    if (pager->done()) {
      break;
    }
  }
  answer.marker = pager->marker();
  co_return answer;
}

}  // namespace hikae::api::elasticache::handlers
