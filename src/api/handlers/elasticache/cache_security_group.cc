#include <fmt/format.h>

#include "api/generated/elasticache_handlers.h"
#include "api/handlers/elasticache/common.h"

// Cache security groups belong to EC2-Classic. A region with VPCs has the one that always exists,
// and refuses the rest as AWS does for accounts that never had EC2-Classic.

namespace hikae::api::elasticache::handlers {
namespace {

constexpr const char* kDefault = "default";

tl::unexpected<ApiFault> not_permitted() {
  return api::refuse(
      "InvalidParameterValue",
      "Use of cache security groups is not permitted in this API version for your account.");
}

CacheSecurityGroup default_group(const core::Region& region) {
  CacheSecurityGroup group;
  group.owner_id = region.account_id;
  group.cache_security_group_name = kDefault;
  group.description = kDefault;
  group.ec2_security_groups.emplace();
  group.arn = core::build_arn(region, "securitygroup", kDefault);
  return group;
}

}  // namespace

AsyncResult<CacheSecurityGroupMessage> describe_cache_security_groups(
    HandlerContext& context, DescribeCacheSecurityGroupsMessage input) {
  const auto pager = Pager::open("DescribeCacheSecurityGroups", input.max_records, input.marker);
  if (!pager) {
    co_return tl::unexpected(pager.error());
  }
  if (input.cache_security_group_name.value_or(kDefault) != kDefault) {
    co_return api::refuse(
        "CacheSecurityGroupNotFound",
        fmt::format("CacheSecurityGroup not found: {}", *input.cache_security_group_name));
  }
  CacheSecurityGroupMessage answer;
  answer.cache_security_groups.emplace().push_back(
      default_group(context.frontend().state().region()));
  co_return answer;
}

AsyncResult<CreateCacheSecurityGroupResult> create_cache_security_group(
    HandlerContext&, CreateCacheSecurityGroupMessage) {
  co_return not_permitted();
}

AsyncResult<NoOutput> delete_cache_security_group(HandlerContext&,
                                                  DeleteCacheSecurityGroupMessage) {
  co_return not_permitted();
}

AsyncResult<AuthorizeCacheSecurityGroupIngressResult> authorize_cache_security_group_ingress(
    HandlerContext&, AuthorizeCacheSecurityGroupIngressMessage) {
  co_return not_permitted();
}

AsyncResult<RevokeCacheSecurityGroupIngressResult> revoke_cache_security_group_ingress(
    HandlerContext&, RevokeCacheSecurityGroupIngressMessage) {
  co_return not_permitted();
}

}  // namespace hikae::api::elasticache::handlers
