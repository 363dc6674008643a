#include "engine/redis_access.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "engine/secrets.h"

namespace hikae::engine {
namespace {

constexpr std::string_view kDefaultName = "default";

// ElastiCache's list, then FAILOVER, by which a client could move the primary behind our back.
constexpr std::string_view kRefused =
    "-bgrewriteaof -bgsave -config -debug -migrate -replicaof -save -slaveof -shutdown -sync"
    " -psync -acl|setuser -acl|load -acl|save -acl|deluser"
    " -cluster|addslots -cluster|addslotsrange -cluster|delslots -cluster|delslotsrange"
    " -cluster|bumpepoch -cluster|failover -cluster|flushslots -cluster|forget -cluster|links"
    " -cluster|meet -cluster|setslot"
    " -failover";

const std::string& open_rules() {
  static const std::string kRules = fmt::format("on nopass ~* &* +@all {}", kRefused);
  return kRules;
}

// The last rule of a command counts, so what is refused comes behind what the customer allows.
SharedMap::Map users_of(const core::NodeAssignment& assignment) {
  SharedMap::Map out;
  for (const auto& [name, rules] : assignment.access) {
    out.emplace(name, fmt::format("{} {}", rules, kRefused));
  }
  if (out.empty()) {
    out.emplace(kDefaultName, open_rules());
  }
  return out;
}

// As a word of a configuration file, whatever is in it.
std::string quoted(std::string_view word) {
  if (word.find_first_of("\"'\\") == std::string_view::npos) {
    return std::string(word);
  }
  std::string out = "\"";
  for (const char c : word) {
    out += c == '"' || c == '\\' ? "\\" : "";
    out += c;
  }
  return out + "\"";
}

bool is_ours(const std::string& name) {
  return name == kAdminUser || name == kReplicationUser;
}

}  // namespace

std::string_view client_rules() {
  return open_rules();
}

std::string render_users(const core::NodeAssignment& assignment) {
  std::string out;
  for (const auto& [name, rules] : users_of(assignment)) {
    out += fmt::format("user {}", quoted(name));
    for (const std::string& rule : split(rules, ' ')) {
      out += " " + quoted(rule);
    }
    out += "\n";
  }
  return out;
}

std::vector<Command> commands_for_users(const core::NodeAssignment& assignment,
                                        const std::vector<std::string>& present) {
  const SharedMap::Map users = users_of(assignment);
  std::vector<Command> out;
  // Whoever is to lose access loses it first.
  for (const std::string& name : present) {
    if (name != kDefaultName && !is_ours(name) && !users.contains(name)) {
      out.push_back({"ACL", "DELUSER", name});
    }
  }
  for (const auto& [name, rules] : users) {
    Command command = {"ACL", "SETUSER", name, "reset"};
    for (std::string& rule : split(rules, ' ')) {
      command.push_back(std::move(rule));
    }
    out.push_back(std::move(command));
  }
  return out;
}

}  // namespace hikae::engine
