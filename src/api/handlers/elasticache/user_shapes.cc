#include "api/handlers/elasticache/user_shapes.h"

#include "core/admission/arn.h"
#include "core/state/access.h"

namespace hikae::api::elasticache {
namespace {

const char* first_version(const std::string& engine) {
  return engine == "valkey" ? "7.2" : "6.0";
}

// Users that are being deleted are shown as members that leave.
std::vector<core::UserId> leaving(const core::State& state, const core::UserGroup& group) {
  std::vector<core::UserId> out = group.removing;
  for (const core::UserId& id : group.users) {
    const auto* user = core::find_user(state, id);
    if (user != nullptr && user->status == "deleting") {
      out.push_back(id);
    }
  }
  return out;
}

}  // namespace

User describe(const core::State& state, const core::User& user) {
  User out;
  out.user_id = user.id.str();
  out.user_name = user.name;
  out.status = user.status;
  out.engine = user.engine;
  out.minimum_engine_version = first_version(user.engine);
  out.access_string = user.access_string;
  out.user_group_ids = to_texts(core::groups_of_user(state, user.id));
  Authentication authentication;
  authentication.type = user.hashes.empty() ? "no-password" : "password";
  if (!user.hashes.empty()) {
    authentication.password_count = std::int32_t(user.hashes.size());
  }
  out.authentication = std::move(authentication);
  out.arn = core::build_arn(state.region(), core::kArnUser, user.id.str());
  return out;
}

UserGroup describe(const core::State& state, const core::UserGroup& group) {
  UserGroup out;
  out.user_group_id = group.id.str();
  out.status = group.status;
  out.engine = group.engine;
  out.user_ids = to_texts(core::before_changes(group.users, group.adding, group.removing));
  out.minimum_engine_version = first_version(group.engine);
  const auto gone = leaving(state, group);
  if (!group.adding.empty() || !gone.empty()) {
    UserGroupPendingChanges changes;
    changes.user_ids_to_add = to_texts(group.adding);
    changes.user_ids_to_remove = to_texts(gone);
    out.pending_changes = std::move(changes);
  }
  out.replication_groups = to_texts(core::replication_groups_of(state, group.id));
  out.serverless_caches.emplace();
  out.arn = core::build_arn(state.region(), core::kArnUserGroup, group.id.str());
  return out;
}

}  // namespace hikae::api::elasticache
