#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/admission/ec2_common.h"

namespace hikae::core {

// AWS's limit for one call.
inline constexpr std::size_t kMaxTaggedAtOnce = 1000;

struct CreateTags {
  std::vector<std::string> resources;  // ids of any kind: `vpc-...`, `sgr-...`
  Tags tags;
};
// Adds or overwrites. All resources or none.
Admitted<Transition> create_tags(const State& state, const CreateTags& command);

struct DeleteTags {
  struct Wanted {
    std::string key;
    std::optional<std::string> value;  // when set, only a tag of this value is removed
  };
  std::vector<std::string> resources;
  std::optional<std::vector<Wanted>> tags;  // nullopt: all tags of the resources
};
// A tag that is not there is no error.
Admitted<Transition> delete_tags(const State& state, const DeleteTags& command);

struct TaggedResource {
  std::string_view type;  // `vpc`, `security-group`: EC2's resource types
  std::string_view id;
  const Tags* tags;
};
// Every EC2 resource that has tags, by type, then id. Views into the state.
std::vector<TaggedResource> tagged_resources(const State& state);

}  // namespace hikae::core
