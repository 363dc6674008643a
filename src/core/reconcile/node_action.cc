#include "core/reconcile/node_action.h"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "core/catalog/directives.h"
#include "core/reconcile/hosts_file.h"

namespace hikae::core {
namespace {

NodeAction act(NodeActionKind kind, std::string reason) {
  return NodeAction{kind, std::move(reason)};
}

NodeAction dissolve(const NodeKnowledge& known) {
  if (known.running) {
    return act(NodeActionKind::kRetire, "no longer assigned to this host");
  }
  if (known.directory) {
    return act(NodeActionKind::kRemove, "its process is gone");
  }
  return act(NodeActionKind::kForget, "nothing is left of it");
}

NodeAction arrange_replication(const NodeAssignment& desired, const NodeKnowledge& known) {
  if (desired.role == Role::kPrimary) {
    return known.role == Role::kReplica
               ? act(NodeActionKind::kPromote,
                     fmt::format("primary of epoch {}", desired.epoch.value()))
               : NodeAction{};
  }
  // A replica whose turn has not come must not take writes either: the driver makes it a replica of
  // nobody until `attach` is set.
  if (known.role == Role::kPrimary) {
    return act(NodeActionKind::kFollow,
               desired.attach ? "should be a replica" : "not attached yet");
  }
  const std::string target = follow_target(desired, known.private_hosts);
  if (desired.attach && known.following != target) {
    return act(NodeActionKind::kFollow, "the primary is " + target);
  }
  return {};
}

std::string_view verb(NodeActionKind kind) {
  switch (kind) {
    case NodeActionKind::kNone:
      return "nothing to do";
    case NodeActionKind::kAwait:
      return "wait";
    case NodeActionKind::kStart:
      return "start";
    case NodeActionKind::kKill:
      return "kill";
    case NodeActionKind::kUpdateHosts:
      return "update the hosts file";
    case NodeActionKind::kFollow:
      return "make a replica";
    case NodeActionKind::kPromote:
      return "make the primary";
    case NodeActionKind::kApplyDirectives:
      return "apply parameters";
    case NodeActionKind::kRetire:
      return "stop";
    case NodeActionKind::kRemove:
      return "remove the directory";
    case NodeActionKind::kForget:
      return "forget";
  }
  return "";
}

}  // namespace

std::string describe(const NodeAction& action) {
  return fmt::format("{} ({})", verb(action.kind), action.reason);
}

NodeAction next_node_action(const std::optional<NodeAssignment>& desired,
                            const NodeKnowledge& known) {
  if (!desired) {
    return dissolve(known);
  }
  if (!known.running) {
    return act(NodeActionKind::kStart,
               known.crashed ? "its process ended unexpectedly" : "no process runs");
  }
  if (known.generation < desired->generation) {
    return act(NodeActionKind::kKill, fmt::format("restart: generation {} is asked for, {} runs",
                                                  desired->generation, known.generation));
  }
  // Before anything follows a name, the name must mean the right address.
  if (known.private_hosts && known.hosts_file != render_hosts_file(*desired)) {
    return act(NodeActionKind::kUpdateHosts,
               fmt::format("{} is {}", desired->primary_name, desired->primary_address.str()));
  }
  if (!known.answers || known.loading) {
    return act(NodeActionKind::kAwait, known.loading ? "it is loading" : "it does not answer yet");
  }
  if (NodeAction action = arrange_replication(*desired, known);
      action.kind != NodeActionKind::kNone) {
    return action;
  }
  if (!live_changes(known.directives, desired->directives).empty()) {
    return act(NodeActionKind::kApplyDirectives, "parameters changed");
  }
  if (desired->role == Role::kReplica && desired->attach && !known.link_up) {
    return act(NodeActionKind::kAwait, "its link to the primary is not up yet");
  }
  return {};
}

std::string follow_target(const NodeAssignment& assignment, bool private_hosts) {
  return private_hosts && !assignment.primary_name.empty() ? assignment.primary_name
                                                           : assignment.primary_address.str();
}

std::map<std::string, std::string> live_changes(const std::map<std::string, std::string>& in_effect,
                                                const std::map<std::string, std::string>& desired) {
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : desired) {
    const auto it = in_effect.find(name);
    const bool differs = it == in_effect.end() || it->second != value;
    if (differs && changes_live(name)) {
      out.emplace(name, value);
    }
  }
  return out;
}

}  // namespace hikae::core
