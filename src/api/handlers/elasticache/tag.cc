#include "api/generated/elasticache_handlers.h"
#include "api/handlers/elasticache/common.h"
#include "core/admission/tags.h"

namespace hikae::api::elasticache::handlers {
namespace {

// All three actions answer with the tags that the resource has now.
ApiResult<TagListMessage> answer_tags(const core::State& state, const std::string& arn) {
  const core::Admitted<core::Tags> tags = core::tags_of(state, arn);
  if (!tags) {
    return refused(tags.error());
  }
  TagListMessage answer;
  answer.tag_list = to_tags(*tags);
  return answer;
}

}  // namespace

AsyncResult<TagListMessage> add_tags_to_resource(HandlerContext& context,
                                                 AddTagsToResourceMessage input) {
  core::AddTags command;
  command.arn = *input.resource_name;
  command.tags = to_tag_list(*input.tags);
  control::Frontend::Decision decide = decision_on(command);
  control::Frontend& frontend = context.frontend();
  auto committed = co_await frontend.submit(std::move(decide));
  if (!committed) {
    co_return refused(committed.error());
  }
  co_return answer_tags(frontend.state(), command.arn);
}

AsyncResult<TagListMessage> remove_tags_from_resource(HandlerContext& context,
                                                      RemoveTagsFromResourceMessage input) {
  core::RemoveTags command;
  command.arn = *input.resource_name;
  command.keys = *input.tag_keys;
  control::Frontend::Decision decide = decision_on(command);
  control::Frontend& frontend = context.frontend();
  auto committed = co_await frontend.submit(std::move(decide));
  if (!committed) {
    co_return refused(committed.error());
  }
  co_return answer_tags(frontend.state(), command.arn);
}

AsyncResult<TagListMessage> list_tags_for_resource(HandlerContext& context,
                                                   ListTagsForResourceMessage input) {
  co_return answer_tags(context.frontend().state(), *input.resource_name);
}

}  // namespace hikae::api::elasticache::handlers
