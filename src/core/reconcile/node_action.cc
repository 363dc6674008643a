#include "core/reconcile/node_action.h"

#include <algorithm>
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

// The kernel frees all of the process's memory before it closes its sockets. Until then clients
// would wait for answers that never come, and new ones would still be let in.
NodeAction let_die(const NodeAssignment* desired, const NodeKnowledge& known) {
  const bool can_reset = known.socket_resets && desired != nullptr;
  if (can_reset && !known.refuses) {
    return act(NodeActionKind::kRefuseClients, "the kernel is taking its process down");
  }
  if (can_reset && desired->release_clients && !known.clients_freed) {
    return act(NodeActionKind::kFreeClients, "others serve in its place");
  }
  return act(NodeActionKind::kAwait, "the kernel is taking its process down");
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

NodeAction bring_to_life(const NodeAssignment& desired, const NodeKnowledge& known) {
  // A reboot that was asked for is no reason for a failover.
  const bool reboot = known.generation != 0 && known.generation < desired.generation;
  if (desired.hold && !reboot) {
    return act(NodeActionKind::kNone, desired.role == Role::kPrimary
                                          ? "its process is dead; a replica may take over"
                                          : "its process is dead; the new primary comes first");
  }
  const bool used_up = desired.start_limit != 0 && known.starts >= desired.start_limit;
  if (desired.role == Role::kPrimary && used_up && !reboot) {
    return act(NodeActionKind::kNone, "nobody has said yet that it may come back after this end");
  }
  // To start it as a primary is to promote it, but for the first one ever.
  if (desired.role == Role::kPrimary && desired.epoch > Epoch(1) && !desired.may_promote) {
    return act(NodeActionKind::kAwait, "another member may still take writes");
  }
  return act(NodeActionKind::kStart,
             known.crashed ? "its process ended unexpectedly" : "no process runs");
}

// Whether a running process has to be ended, and why; empty: no.
std::string reason_to_kill(const NodeAssignment& desired, const NodeKnowledge& known) {
  if (known.generation < desired.generation && !desired.keep_running) {
    return fmt::format("restart: generation {} is asked for, {} runs", desired.generation,
                       known.generation);
  }
  if (desired.kill && desired.role == Role::kPrimary) {
    return known.role == Role::kPrimary ? "a test of the failover was asked for"
                                        : "it came back empty since it was chosen";
  }
  // It would take what its clients have sent meanwhile, before anybody could tell it to follow.
  if (known.halted && desired.role == Role::kReplica) {
    return "its keeper has stopped it and another leads";
  }
  // Killing is the fence: nothing that may wake up again is replaced.
  if (known.hung && (desired.role == Role::kReplica || desired.replaceable)) {
    return "it hangs";
  }
  return "";
}

// The only copy of the data is saved before its process ends.
std::optional<NodeAction> save_first(const NodeAssignment& desired, const NodeKnowledge& known) {
  if (known.generation >= desired.generation || !desired.keep_data ||
      desired.role == Role::kReplica || known.hung) {
    return std::nullopt;
  }
  if (!known.answers || known.loading) {
    return act(NodeActionKind::kAwait, "it has to answer before it can save its data");
  }
  return act(NodeActionKind::kSave,
             fmt::format("restart with its data: generation {} is asked for, {} runs",
                         desired.generation, known.generation));
}

NodeAction arrange_promotion(const NodeAssignment& desired, const NodeKnowledge& known) {
  // It may have come back empty since it was chosen.
  if (!known.synced && desired.replaceable) {
    return act(NodeActionKind::kAwait, "it holds no copy, and another member does");
  }
  if (!desired.may_promote) {
    return act(NodeActionKind::kAwait, "another member may still take writes");
  }
  // What it held has ended with the process that was chosen.
  if (desired.start_limit != 0 && known.starts > desired.start_limit) {
    return act(NodeActionKind::kAwait, "it was started again since it was chosen");
  }
  // Its keeper would stop it right after.
  if (known.kept && desired.lease && !known.lease_runs) {
    return act(NodeActionKind::kAwait, "its lease comes first");
  }
  return act(NodeActionKind::kPromote, fmt::format("primary of epoch {}", desired.epoch.value()));
}

NodeAction arrange_replication(const NodeAssignment& desired, const NodeKnowledge& known) {
  if (desired.role == Role::kPrimary && known.role == Role::kReplica) {
    return arrange_promotion(desired, known);
  }
  if (desired.role == Role::kPrimary) {
    return {};
  }
  // A replica whose turn has not come must not take writes either: the driver makes it a replica of
  // nobody until `attach` is set.
  if (known.role == Role::kPrimary) {
    return act(NodeActionKind::kFollow,
               desired.attach ? "should be a replica" : "not attached yet");
  }
  const std::string target = follow_target(desired, known.private_hosts);
  if (desired.attach && (known.following != target || known.followed_epoch != desired.epoch)) {
    return act(NodeActionKind::kFollow, "the primary is " + target);
  }
  const bool encrypted = follows_encrypted(desired, known.access);
  if (desired.attach && known.followed_encrypted.value_or(encrypted) != encrypted) {
    return act(NodeActionKind::kFollow,
               encrypted ? "the primary has TLS" : "the primary has no TLS");
  }
  // After a full synchronisation the primary sends commands only once it has seen an
  // acknowledgement, which it can miss and which comes once a second. A new connection goes on by
  // partial resynchronisation, at once.
  if (desired.attach && known.stream_pending) {
    return act(NodeActionKind::kFollow, "it has its copy, and the stream has not begun");
  }
  return {};
}

NodeAction arrange_writes(const NodeAssignment& desired, const NodeKnowledge& known) {
  const bool pause = desired.role == Role::kPrimary && desired.pause_writes;
  if (pause && !known.writes_paused) {
    return act(NodeActionKind::kPauseWrites, "a planned switchover");
  }
  if (!pause && known.writes_paused) {
    return act(NodeActionKind::kResumeWrites, "the switchover is over");
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
    case NodeActionKind::kRefuseClients:
      return "take no more clients";
    case NodeActionKind::kFreeClients:
      return "send clients away";
    case NodeActionKind::kUpdateHosts:
      return "update the hosts file";
    case NodeActionKind::kFollow:
      return "make a replica";
    case NodeActionKind::kPromote:
      return "make the primary";
    case NodeActionKind::kPauseWrites:
      return "hold back writes";
    case NodeActionKind::kResumeWrites:
      return "take writes again";
    case NodeActionKind::kSendClientsAway:
      return "send its clients away";
    case NodeActionKind::kApplyAccess:
      return "set who may log in";
    case NodeActionKind::kApplyDirectives:
      return "apply parameters";
    case NodeActionKind::kSetPace:
      return "set the pace of its periodic task";
    case NodeActionKind::kSave:
      return "save and stop";
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
  if (known.running && known.dying) {
    return let_die(desired ? &*desired : nullptr, known);
  }
  if (!desired) {
    return dissolve(known);
  }
  if (!known.running) {
    return bring_to_life(*desired, known);
  }
  if (const auto action = save_first(*desired, known)) {
    return *action;
  }
  if (auto reason = reason_to_kill(*desired, known); !reason.empty()) {
    return act(NodeActionKind::kKill, std::move(reason));
  }
  if (known.halted) {
    return act(NodeActionKind::kAwait, "its keeper has stopped it until it has a lease again");
  }
  const bool listens = known.answers && !known.loading;
  NodeAction replication = listens ? arrange_replication(*desired, known) : NodeAction();
  // Clients wait for a promotion, and a primary follows no name.
  if (replication.kind == NodeActionKind::kPromote) {
    return replication;
  }
  // Before anything follows a name, the name must mean the right address.
  if (known.private_hosts && known.hosts_file != render_hosts_file(*desired)) {
    return act(NodeActionKind::kUpdateHosts,
               fmt::format("{} is {}", desired->primary_name, desired->primary_address.str()));
  }
  if (!listens) {
    return act(NodeActionKind::kAwait, known.loading ? "it is loading" : "it does not answer yet");
  }
  if (replication.kind != NodeActionKind::kNone) {
    return replication;
  }
  if (NodeAction action = arrange_writes(*desired, known); action.kind != NodeActionKind::kNone) {
    return action;
  }
  if (desired->role == Role::kReplica && known.clients_astray) {
    return act(NodeActionKind::kSendClientsAway, "some look for the primary that it was");
  }
  if (!known.access.same_tokens(desired->access) || !(known.users == desired->users)) {
    return act(NodeActionKind::kApplyAccess, "users or tokens changed");
  }
  if (!live_changes(known.directives, desired->directives).empty()) {
    return act(NodeActionKind::kApplyDirectives, "parameters changed");
  }
  if (desired->role == Role::kReplica && desired->attach && !known.link_up) {
    return act(NodeActionKind::kAwait, "its link to the primary is not up yet");
  }
  if (desired->survey) {
    return act(NodeActionKind::kAwait, "its offset is wanted");
  }
  if (known.brisk.value_or(false) != desired->brisk) {
    return act(NodeActionKind::kSetPace,
               desired->brisk ? "members are to synchronise" : "its group is whole");
  }
  return {};
}

bool follows_encrypted(const NodeAssignment& assignment, const Access& own) {
  return own.encrypted() && !assignment.primary_plain;
}

std::string follow_target(const NodeAssignment& assignment, bool private_hosts) {
  if (assignment.source.is_followed()) {
    return assignment.source.host;
  }
  return private_hosts && !assignment.primary_name.empty() ? assignment.primary_name
                                                           : assignment.primary_address.str();
}

std::map<std::string, std::string> live_changes(const std::map<std::string, std::string>& in_effect,
                                                const std::map<std::string, std::string>& desired) {
  std::map<std::string, std::string> out;
  if (&in_effect == &desired) {
    return out;  // shared, as with most nodes at most times
  }
  for (const auto& [name, value] : desired) {
    const auto it = in_effect.find(name);
    const bool differs = it == in_effect.end() || it->second != value;
    if (differs && changes_live(name)) {
      out.emplace(name, value);
    }
  }
  return out;
}

bool wait_for_restart(const std::map<std::string, std::string>& in_effect,
                      const std::map<std::string, std::string>& desired) {
  return &in_effect != &desired &&
         std::any_of(desired.begin(), desired.end(), [&](const auto& directive) {
           const auto it = in_effect.find(directive.first);
           const bool differs = it == in_effect.end() || it->second != directive.second;
           return differs && !changes_live(directive.first);
         });
}

}  // namespace hikae::core
