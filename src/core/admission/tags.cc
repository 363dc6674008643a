#include "core/admission/tags.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "base/strings.h"
#include "core/admission/arn.h"
#include "core/admission/identifiers.h"
#include "core/catalog/catalog.h"
#include "core/state/access.h"

namespace hikae::core {
namespace {

constexpr std::size_t kLongestKey = 128;
constexpr std::size_t kLongestValue = 256;
constexpr std::string_view kReservedPrefix = "aws:";

// Characters, not bytes: every byte of UTF-8 that begins one.
std::size_t count_characters(std::string_view text) {
  return std::size_t(std::count_if(text.begin(), text.end(),
                                   [](char c) { return (std::uint8_t(c) & 0xC0) != 0x80; }));
}

// Letters of other scripts are allowed, and every byte of theirs is above 127.
bool has_tag_characters_only(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    return letter || digit || std::uint8_t(c) > 127 ||
           std::string_view(" _.:/=+-@").find(c) != std::string_view::npos;
  });
}

std::optional<Fault> broken_rule(std::string_view key, std::string_view value) {
  const std::size_t length = count_characters(key);
  if (length == 0 || length > kLongestKey || !has_tag_characters_only(key)) {
    return Fault{"InvalidParameterValue", fmt::format("The tag key '{}' is not valid.", key)};
  }
  if (to_lower(key).starts_with(kReservedPrefix)) {
    return Fault{"InvalidParameterValue",
                 fmt::format("The tag key '{}' is not valid: the prefix aws: is reserved.", key)};
  }
  if (count_characters(value) > kLongestValue || !has_tag_characters_only(value)) {
    return Fault{"InvalidParameterValue", fmt::format("The value of tag '{}' is not valid.", key)};
  }
  return std::nullopt;
}

Fault too_many_tags() {
  return Fault{"TagQuotaPerResourceExceeded",
               fmt::format("A resource can have at most {} tags.", kMaxTagsPerResource)};
}

Fault not_present(std::string_view code, const ResourceName& resource) {
  return Fault{std::string(code), fmt::format("{} is not present", resource.name)};
}

// What an ARN may name besides the resources of the state, and its not-found code.
std::string_view not_found_code(std::string_view type) {
  constexpr std::pair<std::string_view, std::string_view> kCodes[] = {
      {kArnCluster, "CacheClusterNotFound"},
      {kArnReplicationGroup, "ReplicationGroupNotFoundFault"},
      {kArnParameterGroup, "CacheParameterGroupNotFound"},
      {kArnSubnetGroup, "CacheSubnetGroupNotFoundFault"},
      {"securitygroup", "CacheSecurityGroupNotFound"},
      {kArnSnapshot, "SnapshotNotFoundFault"},
      {kArnUser, "UserNotFound"},
      {kArnUserGroup, "UserGroupNotFound"},
      {"reserved-instance", "ReservedCacheNodeNotFound"},
      {"serverlesscache", "ServerlessCacheNotFoundFault"},
      {"serverlesscachesnapshot", "ServerlessCacheSnapshotNotFoundFault"},
  };
  for (const auto& [name, code] : kCodes) {
    if (name == type) {
      return code;
    }
  }
  return {};
}

using EditTags = std::function<void(Tags&)>;

// Applies `edit` to the resource with this key, if it exists.
template <class T>
bool edit_resource(const State& state, const std::string& name, const EditTags& edit,
                   Transition& transition) {
  const T* existing = state.find<T>(typename T::Key(name));
  if (existing == nullptr) {
    return false;
  }
  T changed = *existing;
  edit(changed.tags);
  transition.put(std::move(changed));
  return true;
}

Admitted<Transition> edit_group(const State& state, const ResourceName& resource,
                                const EditTags& edit) {
  Transition transition;
  const auto* group = state.find<ReplicationGroup>(ReplicationGroupId(resource.name));
  if (group == nullptr) {
    return tl::unexpected(not_present("ReplicationGroupNotFoundFault", resource));
  }
  if (group->status != "available") {
    return refuse("InvalidReplicationGroupState",
                  "Cluster not in available state to perform tagging operations.");
  }
  edit_resource<ReplicationGroup>(state, resource.name, edit, transition);
  for (const NodeGroup& shard : group->node_groups) {
    for (const CacheClusterId& member : shard.members) {
      edit_resource<CacheCluster>(state, member.str(), edit, transition);
    }
  }
  return transition;
}

Admitted<Transition> edit_tags(const State& state, const ResourceName& resource,
                               const EditTags& edit) {
  if (resource.type == kArnReplicationGroup) {
    return edit_group(state, resource, edit);
  }
  Transition transition;
  bool found = false;
  if (resource.type == kArnCluster) {
    found = edit_resource<CacheCluster>(state, resource.name, edit, transition);
  } else if (resource.type == kArnSubnetGroup) {
    found = edit_resource<SubnetGroup>(state, resource.name, edit, transition);
  } else if (resource.type == kArnSnapshot) {
    found = edit_resource<Snapshot>(state, resource.name, edit, transition);
  } else if (resource.type == kArnUserGroup) {
    found = edit_resource<UserGroup>(state, resource.name, edit, transition);
  } else if (resource.type == kArnUser) {
    if (resource.name == kDefaultUser) {
      return refuse("InvalidParameterValue", "The default user cannot be tagged.");
    }
    found = edit_resource<User>(state, resource.name, edit, transition);
  } else if (resource.type == kArnParameterGroup) {
    if (find_default_parameter_group(resource.name)) {
      return refuse("InvalidParameterValue",
                    fmt::format("The default parameter group {} cannot be tagged.", resource.name));
    }
    found = edit_resource<ParameterGroup>(state, resource.name, edit, transition);
  }
  if (!found) {
    return tl::unexpected(not_present(not_found_code(resource.type), resource));
  }
  return transition;
}

Admitted<ResourceName> taggable(const State& state, std::string_view arn) {
  Admitted<ResourceName> resource = parse_arn(state.region(), arn);
  if (resource && not_found_code(resource->type).empty()) {
    return refuse("InvalidARN", fmt::format("ARN {}: {} is not a type of resource that has tags",
                                            arn, resource->type));
  }
  return resource;
}

template <class T>
const Tags* find_tags(const State& state, const std::string& name) {
  const T* resource = state.find<T>(typename T::Key(name));
  return resource == nullptr ? nullptr : &resource->tags;
}

const Tags* find_tags(const State& state, const ResourceName& resource) {
  static const Tags kNone;
  if (resource.type == kArnCluster) {
    return find_tags<CacheCluster>(state, resource.name);
  }
  if (resource.type == kArnReplicationGroup) {
    return find_tags<ReplicationGroup>(state, resource.name);
  }
  if (resource.type == kArnSubnetGroup) {
    return find_tags<SubnetGroup>(state, resource.name);
  }
  if (resource.type == kArnSnapshot) {
    return find_tags<Snapshot>(state, resource.name);
  }
  if (resource.type == kArnUser) {
    return resource.name == kDefaultUser ? &kNone : find_tags<User>(state, resource.name);
  }
  if (resource.type == kArnUserGroup) {
    return find_tags<UserGroup>(state, resource.name);
  }
  if (resource.type == kArnParameterGroup) {
    return find_default_parameter_group(resource.name)
               ? &kNone
               : find_tags<ParameterGroup>(state, resource.name);
  }
  return nullptr;
}

}  // namespace

Admitted<Tags> check_tags(const TagList& tags) {
  Tags checked;
  for (const auto& [key, value] : tags) {
    if (std::optional<Fault> fault = broken_rule(key, value)) {
      return tl::unexpected(std::move(*fault));
    }
    if (!checked.emplace(key, value).second) {
      return refuse("InvalidParameterValue", fmt::format("The tag key '{}' is given twice.", key));
    }
    if (checked.size() > kMaxTagsPerResource) {
      return tl::unexpected(too_many_tags());
    }
  }
  return checked;
}

Admitted<Tags> tags_of(const State& state, std::string_view arn) {
  const Admitted<ResourceName> resource = taggable(state, arn);
  if (!resource) {
    return tl::unexpected(resource.error());
  }
  const Tags* tags = find_tags(state, *resource);
  if (tags == nullptr) {
    return tl::unexpected(not_present(not_found_code(resource->type), *resource));
  }
  return *tags;
}

Admitted<Transition> admit(const State& state, const AddTags& command, AdmissionContext) {
  const Admitted<ResourceName> resource = taggable(state, command.arn);
  if (!resource) {
    return tl::unexpected(resource.error());
  }
  const Admitted<Tags> added = check_tags(command.tags);
  if (!added) {
    return tl::unexpected(added.error());
  }
  bool too_many = false;
  const EditTags add = [&](Tags& tags) {
    for (const auto& [key, value] : *added) {
      tags.insert_or_assign(key, value);
    }
    too_many = too_many || tags.size() > kMaxTagsPerResource;
  };
  Admitted<Transition> transition = edit_tags(state, *resource, add);
  if (transition && too_many) {
    return tl::unexpected(too_many_tags());
  }
  return transition;
}

Admitted<Transition> admit(const State& state, const RemoveTags& command, AdmissionContext) {
  const Admitted<ResourceName> resource = taggable(state, command.arn);
  if (!resource) {
    return tl::unexpected(resource.error());
  }
  const EditTags remove = [&](Tags& tags) {
    for (const std::string& key : command.keys) {
      tags.erase(key);
    }
  };
  Admitted<Transition> transition = edit_tags(state, *resource, remove);
  if (!transition) {
    return transition;
  }
  const Tags* tags = find_tags(state, *resource);
  for (const std::string& key : command.keys) {
    if (tags == nullptr || !tags->contains(key)) {
      return refuse("TagNotFound",
                    fmt::format("The tag {} was not found on {}.", key, command.arn));
    }
  }
  return transition;
}

}  // namespace hikae::core
