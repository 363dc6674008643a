#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/reconcile/assignment.h"

namespace hikae::core {

// What an agent knows of one node: the newest reading of each value.
struct NodeKnowledge {
  bool directory = false;        // the node's directory exists
  bool running = false;          // its process lives
  std::uint64_t generation = 0;  // that process was started for; 0 when unknown
  std::uint64_t starts = 0;      // how often its processes were started here
  bool crashed = false;          // it ended without being asked to, and was not started since
  bool dying = false;            // still there, but the kernel is taking it down
  bool refuses = false;          // dying: no new client gets a connection any more
  bool clients_freed = false;    // dying: its clients' connections were reset
  bool hung = false;             // stopped, or silent without using processor time
  bool answers = false;          // the engine answered the newest question
  bool loading = false;
  Role role = Role::kPrimary;
  std::string following;  // replica: the host it follows, as it says itself
  bool link_up = false;
  // Replica: its full synchronisation is done, but the primary may not send what comes after it.
  bool stream_pending = false;
  bool synced = false;      // holds a whole copy: a primary, or a replica that got it
  Epoch followed_epoch{0};  // of the primary it was last told to follow; 0: of none
  // Whether it was told to use TLS for that; unknown of an adopted process.
  std::optional<bool> followed_encrypted;
  // Of a running process, the last two of one that is kept.
  bool kept = false;           // it runs under a keeper
  bool halted = false;         // which has stopped it, because its lease is over
  bool lease_runs = false;     // it has one of the epoch that is wanted
  bool writes_paused = false;  // primary: holds back writes for a switchover
  // Replica: clients came by a name that meant it when it was the primary, and want to write.
  bool clients_astray = false;
  bool private_hosts = false;  // the machine permits private hosts files
  bool socket_resets = false;  // the machine permits to end sockets of dying processes
  std::string hosts_file;      // content of the node's own
  std::optional<bool> brisk;   // how often its periodic task runs; unknown of an adopted process
  SharedMap directives;        // in effect, or refused by the engine
  Access access;               // in effect: what it was started with, and tokens told since
  SharedMap users;             // in force
};

enum class NodeActionKind {
  kNone,   // all is as it should be
  kAwait,  // something is under way that nobody reports: look again soon
  kStart,
  kKill,           // at once; the data is given up
  kRefuseClients,  // dying: it takes no more connections
  kFreeClients,    // dying: connections of its clients are reset
  kUpdateHosts,
  kFollow,
  kPromote,
  kPauseWrites,
  kResumeWrites,
  kSendClientsAway,
  kApplyDirectives,
  kApplyAccess,  // users and AUTH tokens
  kSetPace,
  kSave,    // save the data and end, for a restart that keeps it
  kRetire,  // ask it to end, then kill it
  kRemove,  // the directory
  kForget,  // nothing is left of the node
};

struct NodeAction {
  NodeActionKind kind = NodeActionKind::kNone;
  std::string reason;  // for the log, one line
  friend bool operator==(const NodeAction&, const NodeAction&) = default;
};

// `start (no process runs)`.
std::string describe(const NodeAction& action);

// The one next step from what is known towards `desired` (nullopt: the node should not exist).
// Every action is idempotent: after a crash the same question gives the same answer.
NodeAction next_node_action(const std::optional<NodeAssignment>& desired,
                            const NodeKnowledge& known);

// Whether a replica that was started with `own` reaches its primary by TLS: if both have it. In
// every step between two modes that is what the primary takes, and what the replica can do.
bool follows_encrypted(const NodeAssignment& assignment, const Access& own);

// The host a replica is told to follow: the source outside, or the primary's name where private
// hosts files are permitted, else its address.
std::string follow_target(const NodeAssignment& assignment, bool private_hosts);

// Directives of `desired` that differ from `in_effect` and that a running engine can change. One
// that is no longer desired is left out: the next start brings the engine's own default.
std::map<std::string, std::string> live_changes(const std::map<std::string, std::string>& in_effect,
                                                const std::map<std::string, std::string>& desired);

// Whether one of `desired` differs that only a restart brings.
bool wait_for_restart(const std::map<std::string, std::string>& in_effect,
                      const std::map<std::string, std::string>& desired);

}  // namespace hikae::core
