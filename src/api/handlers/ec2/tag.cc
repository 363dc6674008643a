#include <fmt/format.h>

#include "api/generated/ec2_handlers.h"
#include "api/handlers/ec2/describe.h"
#include "api/handlers/ec2/shapes.h"
#include "core/admission/ec2_tags.h"

namespace hikae::api::ec2::handlers {
namespace {

constexpr std::int32_t kMinTagResults = 5;
constexpr std::int32_t kMaxTagResults = 1000;

// Keys hold no NUL, so it separates the parts of a page's key.
std::string page_key(const TagDescription& tag) {
  return *tag.resource_type + '\0' + *tag.resource_id + '\0' + *tag.key;
}

std::vector<TagDescription> all_tags(const core::State& state) {
  std::vector<TagDescription> list;
  for (const core::TaggedResource& resource : core::tagged_resources(state)) {
    for (const auto& [key, value] : *resource.tags) {
      list.push_back(TagDescription{.key = key,
                                    .resource_id = std::string(resource.id),
                                    .resource_type = std::string(resource.type),
                                    .value = value});
    }
  }
  std::sort(list.begin(), list.end(), [](const TagDescription& a, const TagDescription& b) {
    return page_key(a) < page_key(b);
  });
  return list;
}

const FilterTable<TagDescription>& tag_filters() {
  static const FilterTable<TagDescription> table({
      {"key", [](const TagDescription& t) { return filter_text(t.key); }},
      {"value", [](const TagDescription& t) { return filter_text(t.value); }},
      {"resource-id", [](const TagDescription& t) { return filter_text(t.resource_id); }},
      {"resource-type", [](const TagDescription& t) { return filter_text(t.resource_type); }},
  });
  return table;
}

}  // namespace

AsyncResult<NoOutput> create_tags(HandlerContext& context, CreateTagsRequest input) {
  auto tags = read_tags(input.tags);
  if (!tags) {
    co_return tl::unexpected(tags.error());
  }
  core::CreateTags command;
  command.resources = *input.resources;
  command.tags = std::move(*tags);
  Decide decide = [&](const core::State& state, core::AdmissionContext) {
    return core::create_tags(state, command);
  };
  co_return co_await submit_change(context, input.dry_run, std::move(decide));
}

AsyncResult<NoOutput> delete_tags(HandlerContext& context, DeleteTagsRequest input) {
  core::DeleteTags command;
  command.resources = *input.resources;
  if (input.tags) {
    command.tags.emplace();
    for (const Tag& tag : *input.tags) {
      command.tags->push_back({.key = tag.key.value_or(""), .value = tag.value});
    }
  }
  Decide decide = [&](const core::State& state, core::AdmissionContext) {
    return core::delete_tags(state, command);
  };
  co_return co_await submit_change(context, input.dry_run, std::move(decide));
}

AsyncResult<DescribeTagsResult> describe_tags(HandlerContext& context, DescribeTagsRequest input) {
  const std::int32_t results = input.max_results.value_or(kMaxTagResults);
  if (results < kMinTagResults || results > kMaxTagResults) {
    co_return refuse("InvalidParameterValue",
                     fmt::format("Value ( {} ) for parameter maxResults is invalid. Expecting a "
                                 "value between {} and {}.",
                                 results, kMinTagResults, kMaxTagResults));
  }
  auto page = finish_describe(input, std::nullopt,
                              ApiResult<std::vector<TagDescription>>(all_tags(state_of(context))),
                              tag_filters(), page_key);
  if (!page) {
    co_return tl::unexpected(page.error());
  }
  DescribeTagsResult result;
  result.tags = std::move(page->items);
  result.next_token = std::move(page->next_token);
  co_return result;
}

}  // namespace hikae::api::ec2::handlers
