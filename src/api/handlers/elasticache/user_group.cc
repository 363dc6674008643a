#include "core/admission/user_group.h"

#include "api/generated/elasticache_handlers.h"
#include "api/handlers/elasticache/common.h"
#include "api/handlers/elasticache/user_shapes.h"

namespace hikae::api::elasticache::handlers {
namespace {

using Ids = std::vector<std::string>;

ApiResult<UserGroup> read_back(const core::State& state, const std::string& text) {
  const auto id = core::lookup_id<core::UserGroupId>(text);
  const auto* group = state.find<core::UserGroup>(id);
  if (group == nullptr) {
    return refused(core::user_group_not_found(id.str()));
  }
  return describe(state, *group);
}

}  // namespace

AsyncResult<UserGroup> create_user_group(HandlerContext& context, CreateUserGroupMessage input) {
  auto tags = read_tags(input.tags);
  if (!tags) {
    co_return tl::unexpected(tags.error());
  }
  core::CreateUserGroup command;
  command.id = *input.user_group_id;
  command.engine = *input.engine;
  command.users = input.user_ids.value_or(Ids());
  command.tags = std::move(*tags);
  const auto committed = co_await submit(context, command);
  if (!committed) {
    co_return tl::unexpected(committed.error());
  }
  auto answer = read_back(context.frontend().state(), command.id);
  if (answer) {
    answer->status = "creating";  // as AWS answers; it is active for whoever looks next
  }
  co_return answer;
}

AsyncResult<UserGroup> modify_user_group(HandlerContext& context, ModifyUserGroupMessage input) {
  core::ModifyUserGroup command;
  command.id = *input.user_group_id;
  command.engine = input.engine;
  command.users_to_add = input.user_ids_to_add.value_or(Ids());
  command.users_to_remove = input.user_ids_to_remove.value_or(Ids());
  const auto committed = co_await submit(context, command);
  if (!committed) {
    co_return tl::unexpected(committed.error());
  }
  co_return read_back(context.frontend().state(), command.id);
}

AsyncResult<UserGroup> delete_user_group(HandlerContext& context, DeleteUserGroupMessage input) {
  core::DeleteUserGroup command;
  command.id = *input.user_group_id;
  auto answer = read_back(context.frontend().state(), command.id);
  const auto committed = co_await submit(context, command);
  if (!committed) {
    co_return tl::unexpected(committed.error());
  }
  if (answer) {
    answer->status = "deleting";
  }
  co_return answer;
}

AsyncResult<DescribeUserGroupsResult> describe_user_groups(HandlerContext& context,
                                                           DescribeUserGroupsMessage input) {
  const core::State& state = context.frontend().state();
  DescribeUserGroupsResult answer;
  auto& groups = answer.user_groups.emplace();
  if (input.user_group_id) {
    auto group = read_back(state, *input.user_group_id);
    if (!group) {
      co_return tl::unexpected(group.error());
    }
    groups.push_back(std::move(*group));
    co_return answer;
  }
  auto pager = Pager::open("DescribeUserGroups", input.max_records, input.marker);
  if (!pager) {
    co_return tl::unexpected(pager.error());
  }
  for (const auto& [id, group] : state.all<core::UserGroup>()) {
    if (pager->take(id.str())) {
      groups.push_back(describe(state, group));
    }
    if (pager->done()) {
      break;
    }
  }
  answer.marker = pager->marker();
  co_return answer;
}

}  // namespace hikae::api::elasticache::handlers
