#include "core/admission/parameter_group.h"

#include "api/generated/elasticache_handlers.h"
#include "api/handlers/elasticache/common.h"
#include "api/handlers/elasticache/parameter_shapes.h"
#include "base/strings.h"

namespace hikae::api::elasticache::handlers {
namespace {

// Where DescribeCacheParameters' Source filter may point besides `user` and `system`.
constexpr std::string_view kSourceEngineDefault = "engine-default";

CacheParameterGroup to_shape(const core::State& state, const core::ParameterGroupView& group) {
  CacheParameterGroup shape;
  shape.cache_parameter_group_name = group.name;
  shape.cache_parameter_group_family = std::string(group.family->name);
  shape.description = group.description();
  shape.is_global = false;
  shape.arn = core::build_arn(state.region(), core::kArnParameterGroup, group.name);
  return shape;
}

std::vector<std::string> names_of(const std::optional<std::vector<ParameterNameValue>>& values) {
  std::vector<std::string> names;
  for (const auto& value : values.value_or(std::vector<ParameterNameValue>())) {
    names.push_back(value.parameter_name.value_or(""));
  }
  return names;
}

}  // namespace

AsyncResult<CreateCacheParameterGroupResult> create_cache_parameter_group(
    HandlerContext& context, CreateCacheParameterGroupMessage input) {
  ApiResult<core::Tags> tags = read_tags(input.tags);
  if (!tags) {
    co_return tl::unexpected(tags.error());
  }
  core::CreateParameterGroup command;
  command.name = *input.cache_parameter_group_name;
  command.family = *input.cache_parameter_group_family;
  command.description = *input.description;
  command.tags = std::move(*tags);
  control::Frontend::Decision decide = decision_on(command);
  control::Frontend& frontend = context.frontend();
  auto committed = co_await frontend.submit(std::move(decide));
  if (!committed) {
    co_return refused(committed.error());
  }
  const auto group = core::find_parameter_group(frontend.state(), command.name);
  if (!group) {
    co_return refused(core::parameter_group_not_found(command.name));
  }
  CreateCacheParameterGroupResult result;
  result.cache_parameter_group = to_shape(frontend.state(), *group);
  co_return result;
}

AsyncResult<CacheParameterGroupNameMessage> modify_cache_parameter_group(
    HandlerContext& context, ModifyCacheParameterGroupMessage input) {
  core::ModifyParameterGroup command;
  command.name = *input.cache_parameter_group_name;
  for (const ParameterNameValue& value : *input.parameter_name_values) {
    command.values.emplace_back(value.parameter_name.value_or(""),
                                value.parameter_value.value_or(""));
  }
  control::Frontend::Decision decide = decision_on(command);
  control::Frontend& frontend = context.frontend();
  auto committed = co_await frontend.submit(std::move(decide));
  if (!committed) {
    co_return refused(committed.error());
  }
  CacheParameterGroupNameMessage answer;
  answer.cache_parameter_group_name = to_lower(command.name);
  co_return answer;
}

AsyncResult<CacheParameterGroupNameMessage> reset_cache_parameter_group(
    HandlerContext& context, ResetCacheParameterGroupMessage input) {
  core::ResetParameterGroup command;
  command.name = *input.cache_parameter_group_name;
  command.all = input.reset_all_parameters.value_or(false);
  command.parameters = names_of(input.parameter_name_values);
  control::Frontend::Decision decide = decision_on(command);
  control::Frontend& frontend = context.frontend();
  auto committed = co_await frontend.submit(std::move(decide));
  if (!committed) {
    co_return refused(committed.error());
  }
  CacheParameterGroupNameMessage answer;
  answer.cache_parameter_group_name = to_lower(command.name);
  co_return answer;
}

AsyncResult<NoOutput> delete_cache_parameter_group(HandlerContext& context,
                                                   DeleteCacheParameterGroupMessage input) {
  core::DeleteParameterGroup command;
  command.name = *input.cache_parameter_group_name;
  control::Frontend::Decision decide = decision_on(command);
  control::Frontend& frontend = context.frontend();
  auto committed = co_await frontend.submit(std::move(decide));
  if (!committed) {
    co_return refused(committed.error());
  }
  co_return NoOutput();
}

AsyncResult<CacheParameterGroupsMessage> describe_cache_parameter_groups(
    HandlerContext& context, DescribeCacheParameterGroupsMessage input) {
  const core::State& state = context.frontend().state();
  CacheParameterGroupsMessage answer;
  auto& groups = answer.cache_parameter_groups.emplace();
  if (input.cache_parameter_group_name) {
    const auto group = core::find_parameter_group(state, *input.cache_parameter_group_name);
    if (!group) {
      co_return refused(
          core::parameter_group_not_found(to_lower(*input.cache_parameter_group_name)));
    }
    groups.push_back(to_shape(state, *group));
    co_return answer;
  }
  auto pager = Pager::open("DescribeCacheParameterGroups", input.max_records, input.marker);
  if (!pager) {
    co_return tl::unexpected(pager.error());
  }
  for (const core::ParameterGroupView& group : core::list_parameter_groups(state)) {
    if (pager->take(group.name)) {
      groups.push_back(to_shape(state, group));
    }
  }
  answer.marker = pager->marker();
  co_return answer;
}

AsyncResult<CacheParameterGroupDetails> describe_cache_parameters(
    HandlerContext& context, DescribeCacheParametersMessage input) {
  const core::State& state = context.frontend().state();
  const auto group = core::find_parameter_group(state, *input.cache_parameter_group_name);
  if (!group) {
    co_return refused(core::parameter_group_not_found(to_lower(*input.cache_parameter_group_name)));
  }
  const std::string source = input.source.value_or("");
  if (!source.empty() && source != kSourceUser && source != kSourceSystem &&
      source != kSourceEngineDefault) {
    co_return api::refuse("InvalidParameterValue",
                          "The parameter Source must be user, system or "
                          "engine-default.");
  }
  auto pager = Pager::open("DescribeCacheParameters/" + group->name + "/" + source,
                           input.max_records, input.marker);
  if (!pager) {
    co_return tl::unexpected(pager.error());
  }
  CacheParameterGroupDetails answer;
  answer.parameters = parameters_of(*group, source, *pager);
  answer.cache_node_type_specific_parameters.emplace();
  const bool first_page = !input.marker || input.marker->empty();
  if (first_page && (source.empty() || source == kSourceSystem)) {
    answer.cache_node_type_specific_parameters = node_type_parameters_of(*group->family);
  }
  answer.marker = pager->marker();
  co_return answer;
}

AsyncResult<DescribeEngineDefaultParametersResult> describe_engine_default_parameters(
    HandlerContext& context, DescribeEngineDefaultParametersMessage input) {
  (void)context;
  const core::ParameterFamily* family = core::find_family(*input.cache_parameter_group_family);
  if (family == nullptr) {
    co_return api::refuse("InvalidParameterValue", "CacheParameterGroupFamily " +
                                                       *input.cache_parameter_group_family +
                                                       " is not a valid parameter group family");
  }
  core::ParameterGroupView group;
  group.name = core::default_parameter_group_name(*family, false);
  group.family = family;
  auto pager =
      Pager::open("DescribeEngineDefaultParameters/" + group.name, input.max_records, input.marker);
  if (!pager) {
    co_return tl::unexpected(pager.error());
  }
  DescribeEngineDefaultParametersResult result;
  EngineDefaults& defaults = result.engine_defaults.emplace();
  defaults.cache_parameter_group_family = std::string(family->name);
  defaults.parameters = parameters_of(group, "", *pager);
  defaults.cache_node_type_specific_parameters.emplace();
  if (!input.marker || input.marker->empty()) {
    defaults.cache_node_type_specific_parameters = node_type_parameters_of(*family);
  }
  defaults.marker = pager->marker();
  co_return result;
}

}  // namespace hikae::api::elasticache::handlers
