#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/shared.h"
#include "base/shared_map.h"
#include "base/time.h"
#include "core/resource/access.h"
#include "core/resource/ids.h"
#include "core/resource/log_delivery.h"

namespace hikae::core {

enum class Role { kPrimary, kReplica };

// A server outside of the region from which the node's group takes its data over.
struct MigrationSource {
  enum class Use {
    kNone,
    kCheck,    // it is asked whether it would do
    kFollow,   // the node is a replica of it
    kCutOver,  // that too, and it is to hold back its writes and tell where it stopped
  };
  std::string host;  // a name or an IPv4 address
  std::uint16_t port = 0;
  Use use = Use::kNone;
  Instant deadline;  // names what is asked; answers repeat it
  bool is_followed() const { return use == Use::kFollow || use == Use::kCutOver; }
  std::string str() const { return host + ":" + std::to_string(port); }
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("host", s.host);
    v("port", s.port);
    v("use", s.use);
    v("deadline", s.deadline);
  }
  friend bool operator==(const MigrationSource&, const MigrationSource&) = default;
};

// What one node should be. A projection of the state (and, for `attach`, of what was observed); it
// says nothing of how to get there.
struct NodeAssignment {
  NodeKey node;
  ReplicationGroupId group;    // empty for a standalone node
  std::string engine;          // `redis`, `valkey`
  std::string engine_version;  // as requested; the agent runs the nearest newer installed one
  Ipv4 address;
  std::uint16_t port = 6379;
  Role role = Role::kPrimary;
  Epoch epoch{1};
  // For replicas: the name that always means the primary, and where it is now. The engine follows
  // the name; the agent keeps the name's address in the engine's private hosts file.
  std::string primary_name;
  Ipv4 primary_address;
  std::uint16_t primary_port = 6379;
  // A replica follows the primary only once this is true: the primary takes connections, and it is
  // this replica's turn for its first synchronisation.
  bool attach = false;
  bool primary_plain = false;  // the primary takes no TLS
  // Other nodes have the same address, each with a port of its own.
  bool shared_address = false;
  std::uint64_t generation = 1;  // a running process of a lower generation is restarted
  // That restart waits: the primary is gone, and the process may hold the last copy of its data.
  bool keep_running = false;
  // That restart keeps the data of a primary: it is saved at the end and loaded at the start.
  bool keep_data = false;
  std::uint64_t edition = 1;  // names these settings; the agent tells when they are in effect
  bool weigh = false;         // the size of its data is wanted
  bool update = false;        // of that edition: it is to run the newest program that serves it
  // A replica becomes primary (REPLICAOF NO ONE) only once this is true: no other member of its
  // node group can still take writes.
  bool may_promote = true;
  // A dead process is left dead. Of a primary: whoever decides on the failover says what the node
  // is next; already set while it lives, because its agent may hear nothing when it matters. Of a
  // replica: until the new primary takes writes.
  bool hold = false;
  // Of a primary: it is started only while it was started less often than this; 0: however often.
  // So what permits that it comes back, maybe empty, is for one end of it. Its agent may hear
  // nothing more, and at the next end there may be data that a replica has.
  std::uint64_t start_limit = 0;
  // Of a primary: another member can take over now. So a hung process is killed, and one that has
  // no copy of the data is not promoted.
  bool replaceable = false;
  // The primary is to be killed now: TestFailover asks for that, or it does not lead yet, and what
  // it held ended with an earlier process.
  bool kill = false;
  // A planned switchover: the primary holds back writes and tells the offset at which it stopped.
  bool pause_writes = false;
  // Offsets are wanted quickly and until they stand still: a primary is to be chosen.
  bool survey = false;
  // That survey begins anew: what was told in one before it counts no more.
  bool anew = false;
  // What was told in another one counts no more. 0: none is on.
  int which_survey() const { return survey ? 1 + int(anew) : 0; }
  // Its group is not whole, so replicas synchronise or are about to: the engine's periodic task, in
  // steps of which that advances, is to run often. It costs an idle engine six times the processor.
  bool brisk = false;
  // Of a replica that dies: others serve under its names, so clients that it keeps waiting are to
  // ask for them again. Connections of the other members stay: they may still carry the stream.
  bool release_clients = false;
  std::vector<Ipv4> members;  // the addresses of those, set with it
  // Of a primary: it takes writes by a lease alone, which servers grant, or the replicas at these
  // addresses when no server can be asked.
  bool lease = false;
  std::vector<Ipv4> peers;
  // Of that primary: its fence is its keeper, so replicas promise by following it.
  bool kept = false;
  // A snapshot is wanted: the node's data is to be put under this name into the region's snapshot
  // directory. Empty: none.
  std::string snapshot_file;
  // The node starts with the data in this file of that directory. Empty: it starts empty.
  std::string restore_file;
  MigrationSource source;  // of a group's primary
  Access access;  // of its clients; members of a group that is encrypted replicate encrypted too
  // What its certificate is for, beside its address: a name with a wildcard in front. Empty: it has
  // none.
  std::string certificate_name;
  std::vector<std::string> certificate_aliases;  // other names that it is good for
  // The engine's own directives, rendered from node type and parameter group.
  SharedMap directives;
  // Who may log in and do what: names and rules of users, as in ACL SETUSER. Passwords are SHA-256.
  // Empty: the engine's own user `default`, as `access` says.
  SharedMap users;
  // Logs that are to be delivered, and where to.
  std::vector<LogDelivery> logs;

  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("node", s.node);
    v("group", s.group);
    v("engine", s.engine);
    v("engine_version", s.engine_version);
    v("address", s.address);
    v("port", s.port);
    v("role", s.role);
    v("epoch", s.epoch);
    v("primary_name", s.primary_name);
    v("primary_address", s.primary_address);
    v("primary_port", s.primary_port);
    v("attach", s.attach);
    v("primary_plain", s.primary_plain);
    v("shared_address", s.shared_address);
    v("generation", s.generation);
    v("keep_running", s.keep_running);
    v("keep_data", s.keep_data);
    v("edition", s.edition);
    v("weigh", s.weigh);
    v("update", s.update);
    v("may_promote", s.may_promote);
    v("hold", s.hold);
    v("start_limit", s.start_limit);
    v("replaceable", s.replaceable);
    v("kill", s.kill);
    v("pause_writes", s.pause_writes);
    v("survey", s.survey);
    v("anew", s.anew);
    v("brisk", s.brisk);
    v("release_clients", s.release_clients);
    v("members", s.members);
    v("lease", s.lease);
    v("peers", s.peers);
    v("kept", s.kept);
    v("snapshot_file", s.snapshot_file);
    v("restore_file", s.restore_file);
    v("source", s.source);
    v("access", s.access);
    v("certificate_name", s.certificate_name);
    v("certificate_aliases", s.certificate_aliases);
    v("directives", s.directives);
    v("users", s.users);
    v("logs", s.logs);
  }
  friend bool operator==(const NodeAssignment&, const NodeAssignment&) = default;
};

// Names one message to its sender. Numbers grow within a session, which is one run of the control
// plane; an agent tells in every report by which message it acts.
struct AssignmentTicket {
  Instant session;
  std::uint64_t number = 0;
  friend bool operator==(const AssignmentTicket&, const AssignmentTicket&) = default;
};

// All that one host should run. A node the host has and the assignment lacks is stopped and its
// directory removed.
struct Assignment {
  HostId host;
  Revision revision;
  AssignmentTicket ticket;
  std::vector<Shared<NodeAssignment>> nodes;
  friend bool operator==(const Assignment&, const Assignment&) = default;
};

}  // namespace hikae::core
