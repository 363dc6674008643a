#include "core/admission/user.h"

#include <algorithm>

#include <fmt/format.h>

#include "api/generated/elasticache_handlers.h"
#include "api/handlers/elasticache/common.h"
#include "api/handlers/elasticache/user_shapes.h"
#include "base/strings.h"
#include "codec/text/digest.h"
#include "core/state/access.h"

namespace hikae::api::elasticache::handlers {
namespace {

// Here the passwords end: everything behind it knows their digests.
std::optional<std::vector<core::NewPassword>> read_passwords(
    const std::optional<std::vector<std::string>>& texts) {
  if (!texts) {
    return std::nullopt;
  }
  std::vector<core::NewPassword> out;
  for (const std::string& text : *texts) {
    core::NewPassword& one = out.emplace_back();
    one.length = text.size();
    one.printable =
        std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
    one.sha256 = codec::sha256_hex(text);
  }
  return out;
}

template <class Message>
core::AuthenticationRequest authentication_of(const Message& input) {
  core::AuthenticationRequest out;
  out.no_password_required = input.no_password_required;
  out.passwords = read_passwords(input.passwords);
  if (input.authentication_mode) {
    out.mode = input.authentication_mode->type.value_or("");
    out.mode_passwords = read_passwords(input.authentication_mode->passwords);
  }
  return out;
}

ApiResult<User> read_back(const core::State& state, const std::string& text) {
  const auto id = core::lookup_id<core::UserId>(text);
  const auto* user = core::find_user(state, id);
  if (user == nullptr) {
    return refused(core::user_not_found(id.str()));
  }
  return describe(state, *user);
}

// What a filter of this name compares; nullopt: there is none.
std::optional<std::vector<std::string>> filtered_values(const User& user, const std::string& name) {
  std::string key = to_lower(name);
  std::erase(key, '-');
  if (key == "userid") {
    return std::vector{*user.user_id};
  }
  if (key == "username") {
    return std::vector{*user.user_name};
  }
  if (key == "engine") {
    return std::vector{*user.engine};
  }
  if (key == "status") {
    return std::vector{*user.status};
  }
  if (key == "usergroupid") {
    return *user.user_group_ids;
  }
  return std::nullopt;
}

bool matches(const User& user, const DescribeUsersMessage& input) {
  if (input.engine && !equals_ignoring_case(*input.engine, *user.engine)) {
    return false;
  }
  const auto filters = input.filters.value_or(std::vector<Filter>());
  return std::all_of(filters.begin(), filters.end(), [&](const Filter& filter) {
    const auto values = filtered_values(user, *filter.name);
    return values && std::any_of(values->begin(), values->end(), [&](const std::string& value) {
             return std::find(filter.values->begin(), filter.values->end(), value) !=
                    filter.values->end();
           });
  });
}

std::optional<ApiFault> invalid_filter(const DescribeUsersMessage& input) {
  for (const Filter& filter : input.filters.value_or(std::vector<Filter>())) {
    User any;
    any.user_id = any.user_name = any.engine = any.status = "";
    any.user_group_ids.emplace();
    if (!filtered_values(any, *filter.name)) {
      return ApiFault("InvalidParameterValue",
                      fmt::format("The filter {} is not known.", *filter.name));
    }
  }
  return std::nullopt;
}

// In the order of ids, the region's `default` among them.
std::vector<const core::User*> all_users(const core::State& state) {
  std::vector<const core::User*> out = {&core::default_user()};
  for (const auto& [id, user] : state.all<core::User>()) {
    out.push_back(&user);
  }
  std::sort(out.begin(), out.end(), [](const auto* a, const auto* b) { return a->id < b->id; });
  return out;
}

}  // namespace

AsyncResult<User> create_user(HandlerContext& context, CreateUserMessage input) {
  auto tags = read_tags(input.tags);
  if (!tags) {
    co_return tl::unexpected(tags.error());
  }
  core::CreateUser command;
  command.id = *input.user_id;
  command.name = *input.user_name;
  command.engine = *input.engine;
  command.access_string = *input.access_string;
  command.authentication = authentication_of(input);
  command.tags = std::move(*tags);
  const auto committed = co_await submit(context, command);
  if (!committed) {
    co_return tl::unexpected(committed.error());
  }
  co_return read_back(context.frontend().state(), command.id);
}

AsyncResult<User> modify_user(HandlerContext& context, ModifyUserMessage input) {
  core::ModifyUser command;
  command.id = *input.user_id;
  command.engine = input.engine;
  command.access_string = input.access_string;
  command.append_access_string = input.append_access_string;
  command.authentication = authentication_of(input);
  const auto committed = co_await submit(context, command);
  if (!committed) {
    co_return tl::unexpected(committed.error());
  }
  co_return read_back(context.frontend().state(), command.id);
}

AsyncResult<User> delete_user(HandlerContext& context, DeleteUserMessage input) {
  core::DeleteUser command;
  command.id = *input.user_id;
  auto answer = read_back(context.frontend().state(), command.id);  // afterwards it may be gone
  const auto committed = co_await submit(context, command);
  if (!committed) {
    co_return tl::unexpected(committed.error());
  }
  if (answer) {
    answer->status = "deleting";
  }
  co_return answer;
}

AsyncResult<DescribeUsersResult> describe_users(HandlerContext& context,
                                                DescribeUsersMessage input) {
  const core::State& state = context.frontend().state();
  DescribeUsersResult answer;
  auto& users = answer.users.emplace();
  if (input.user_id) {
    auto user = read_back(state, *input.user_id);
    if (!user) {
      co_return tl::unexpected(user.error());
    }
    users.push_back(std::move(*user));
    co_return answer;
  }
  if (auto fault = invalid_filter(input)) {
    co_return tl::unexpected(*fault);
  }
  auto pager = Pager::open("DescribeUsers", input.max_records, input.marker);
  if (!pager) {
    co_return tl::unexpected(pager.error());
  }
  for (const core::User* one : all_users(state)) {
    User user = describe(state, *one);
    if (matches(user, input) && pager->take(one->id.str())) {
      users.push_back(std::move(user));
    }
    if (pager->done()) {
      break;
    }
  }
  answer.marker = pager->marker();
  co_return answer;
}

}  // namespace hikae::api::elasticache::handlers
