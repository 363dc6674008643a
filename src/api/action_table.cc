#include "api/action_table.h"

#include <algorithm>

namespace hikae::api {

const Action* find_action(const ServiceTable& table, std::string_view name) {
  const auto found = std::lower_bound(
      table.actions.begin(), table.actions.end(), name,
      [](const Action& action, std::string_view wanted) { return action.name < wanted; });
  return found != table.actions.end() && found->name == name ? &*found : nullptr;
}

}  // namespace hikae::api
