#pragma once

#include <string>
#include <vector>

#include "api/generated/elasticache_shapes.h"
#include "core/state/state.h"

namespace hikae::api::elasticache {

// What Describe shows of users and user groups: never a password, nor a digest of one.
User describe(const core::State& state, const core::User& user);
UserGroup describe(const core::State& state, const core::UserGroup& group);

template <class Id>
std::vector<std::string> to_texts(const std::vector<Id>& ids) {
  std::vector<std::string> out;
  for (const Id& id : ids) {
    out.push_back(id.str());
  }
  return out;
}

}  // namespace hikae::api::elasticache
