#pragma once

#include <span>
#include <string_view>

namespace hikae::core {

// The words of access strings that engines know. Redis 7.0 and Valkey 8.0 take all of them but for
// the commands of Valkey alone.

struct AclCommand {
  std::string_view name;  // lower case; of a subcommand `client|kill`
  bool valkey_only = false;
};

// Sorted by name.
std::span<const AclCommand> acl_commands();
std::span<const std::string_view> acl_categories();

// nullptr: no such command. The name may be in any case.
const AclCommand* find_acl_command(std::string_view name);
// The command has subcommands.
bool is_acl_container(std::string_view name);
bool is_acl_category(std::string_view name);

}  // namespace hikae::core
