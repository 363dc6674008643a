#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/admission/admission.h"
#include "core/resource/tags.h"

namespace hikae::core {

inline constexpr std::size_t kMaxTagsPerResource = 50;

// Keys and values as a client sent them.
using TagList = std::vector<std::pair<std::string, std::string>>;

// Checks the tags of a new resource: at most 50; keys of 1 to 128 characters, values up to 256, of
// letters, digits, blanks and `_ . : / = + - @`; no key twice, none that begins with `aws:`.
Admitted<Tags> check_tags(const TagList& tags);

// The tags of the resource that an ARN names. A resource that does not exist gives the not-found
// fault of its type.
Admitted<Tags> tags_of(const State& state, std::string_view arn);

struct AddTags {
  std::string arn;
  TagList tags;  // replace those of the same keys
};
// A replication group's tags are its members' too, as in ElastiCache.
Admitted<Transition> admit(const State& state, const AddTags& command, AdmissionContext context);

struct RemoveTags {
  std::string arn;
  std::vector<std::string> keys;
};
// TagNotFound when the resource lacks one of the keys.
Admitted<Transition> admit(const State& state, const RemoveTags& command, AdmissionContext context);

}  // namespace hikae::core
