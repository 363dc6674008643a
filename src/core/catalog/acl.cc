#include "core/catalog/acl.h"

#include <algorithm>
#include <string>

#include "base/strings.h"

namespace hikae::core {
namespace {

// The first command whose name is not below this one.
std::span<const AclCommand>::iterator lower_bound(const std::string& name) {
  const auto commands = acl_commands();
  return std::lower_bound(commands.begin(), commands.end(), name,
                          [](const AclCommand& a, const std::string& b) { return a.name < b; });
}

}  // namespace

const AclCommand* find_acl_command(std::string_view name) {
  const std::string wanted = to_lower(name);
  const auto it = lower_bound(wanted);
  return it != acl_commands().end() && it->name == wanted ? &*it : nullptr;
}

bool is_acl_container(std::string_view name) {
  const std::string prefix = to_lower(name) + "|";
  const auto it = lower_bound(prefix);
  return it != acl_commands().end() && it->name.starts_with(prefix);
}

bool is_acl_category(std::string_view name) {
  const auto categories = acl_categories();
  return std::binary_search(categories.begin(), categories.end(), std::string_view(to_lower(name)));
}

}  // namespace hikae::core
