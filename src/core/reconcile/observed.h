#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/shared.h"
#include "base/time.h"
#include "core/reconcile/assignment.h"
#include "core/resource/cache_cluster.h"
#include "core/resource/ids.h"

namespace hikae::core {

// How far an agent has come with the snapshot that its node's assignment asks for.
struct SnapshotProgress {
  enum class Stage { kNone, kSaving, kStoring, kDone, kFailed };
  std::string file;  // which one
  Stage stage = Stage::kNone;
  // Of a file that is done: it is durable, and was read again as a whole to check it.
  std::uint64_t bytes = 0;
  std::uint64_t used_memory = 0;
  int format = 0;
  std::string checksum;
  std::string problem;  // of one that failed
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("file", s.file);
    v("stage", s.stage);
    v("bytes", s.bytes);
    v("used_memory", s.used_memory);
    v("format", s.format);
    v("checksum", s.checksum);
    v("problem", s.problem);
  }
  friend bool operator==(const SnapshotProgress&, const SnapshotProgress&) = default;
};

// What the server that a node's assignment names as its source has answered.
struct SourceAnswer {
  Instant deadline;     // of the question, which it names; zero: nothing was asked
  std::string problem;  // why it will not do, or that it does not answer; empty: all is well
  std::string version;  // for people
  // Of one that is to hold back its writes: whether it does, and the offset after which nothing
  // more comes, or else how far it was when it was asked.
  bool writes_paused = false;
  std::uint64_t offset = 0;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("deadline", s.deadline);
    v("problem", s.problem);
    v("version", s.version);
    v("writes_paused", s.writes_paused);
    v("offset", s.offset);
  }
  friend bool operator==(const SourceAnswer&, const SourceAnswer&) = default;
};

// What an agent saw of one node, the newest reading of each value.
struct NodeObservation {
  enum class Process {
    kAbsent,   // no process, no directory
    kStopped,  // a directory without a process
    // The kernel is taking the process down: none of its code runs any more, though its memory and
    // its sockets may last for seconds.
    kDying,
    kStarting,  // has not answered yet
    kRunning,
  };
  NodeKey node;
  Process process = Process::kAbsent;
  std::int64_t pid = 0;
  std::uint64_t generation = 0;  // of the running process
  std::uint64_t starts = 0;      // how often a process of it was started at this place
  bool ready = false;            // answers commands and is not loading
  Role role = Role::kPrimary;    // as the engine says
  bool link_up = false;          // replica: its first synchronisation is done and the link is up
  // The process holds a whole copy of the group's data: a primary, or a replica that got it, be the
  // link up or not.
  bool synced = false;
  bool promoting = false;      // its agent is making it the primary just now
  bool hung = false;           // neither answers nor uses processor time, or is stopped
  bool writes_paused = false;  // primary: holds back writes; replication_offset is where it stopped
  bool surveyed = false;       // it answered since its survey was asked for
  // In a survey: two readings in a row were equal, so all that had arrived is applied.
  bool offset_settled = false;
  std::uint64_t replication_offset = 0;
  Monotonic offset_read;  // when the process was asked for it; zero: this process told none yet
  // Names of the stream of changes that it is at, and of the one that this one went on from without
  // a full synchronisation; empty: unknown, or none.
  std::string stream;
  std::string previous_stream;
  // Bytes that the process which ended last has left to start from, while nothing newer is known to
  // have taken their place. 0 for engines that keep their data in memory alone.
  std::uint64_t data_on_disk = 0;
  // The newest edition of its assignment of which all that a running process can take is in effect.
  std::uint64_t edition = 0;
  bool outdated = false;          // of that edition: only a restart brings the rest
  std::string unservable;         // of that edition: why no installed engine can run it, or empty
  std::uint64_t used_memory = 0;  // bytes, while its size is wanted; else 0
  std::string running_version;    // `8.0.1`, of the installed engine
  // `valkey 8.0.2`: what a restart would bring, while that is newer than what runs; else empty.
  std::string newer_program;
  std::string substitution;     // not empty: what runs in place of the version that was asked for
  std::string problem;          // one line for the operator, empty when all is well
  Monotonic fault_seen;         // when the agent noticed that the process died or hung
  int loaded_percent = 0;       // while it takes in the data of a snapshot
  std::string log_problem;      // why some log of it cannot be delivered, or empty
  std::string restore_problem;  // why it cannot take in that data, however often it is started
  SnapshotProgress snapshot;
  SourceAnswer source;
  bool has_fence = false;  // the process has our module or a keeper
  bool fenced = false;     // and takes writes by a lease alone
  bool kept = false;       // it has a keeper
  // Replica: the epoch in which its primary last counted on its promise (0: in none, or not known
  // to itself), and that a promise not to lead is not over.
  Epoch counted_epoch{0};
  bool promised = false;

  // Certain: no code of the process runs any more.
  bool dead() const {
    return process == Process::kStopped || process == Process::kDying ||
           process == Process::kAbsent;
  }
  // Dead, and what it leaves on disk is not told yet.
  bool dying() const { return process == Process::kDying; }
  // Offsets grow all the time; they matter only while something is decided by them. So what they
  // are now is no news by itself.
  void take_offset_of(const NodeObservation& now) {
    offset_read = now.offset_read;
    if (!now.surveyed && !now.writes_paused) {
      replication_offset = now.replication_offset;
    }
  }
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("node", s.node);
    v("process", s.process);
    v("pid", s.pid);
    v("generation", s.generation);
    v("starts", s.starts);
    v("ready", s.ready);
    v("role", s.role);
    v("link_up", s.link_up);
    v("synced", s.synced);
    v("promoting", s.promoting);
    v("hung", s.hung);
    v("writes_paused", s.writes_paused);
    v("surveyed", s.surveyed);
    v("offset_settled", s.offset_settled);
    v("replication_offset", s.replication_offset);
    v("offset_read", s.offset_read);
    v("stream", s.stream);
    v("previous_stream", s.previous_stream);
    v("data_on_disk", s.data_on_disk);
    v("edition", s.edition);
    v("outdated", s.outdated);
    v("unservable", s.unservable);
    v("used_memory", s.used_memory);
    v("running_version", s.running_version);
    v("newer_program", s.newer_program);
    v("substitution", s.substitution);
    v("problem", s.problem);
    v("fault_seen", s.fault_seen);
    v("loaded_percent", s.loaded_percent);
    v("log_problem", s.log_problem);
    v("restore_problem", s.restore_problem);
    v("snapshot", s.snapshot);
    v("source", s.source);
    v("has_fence", s.has_fence);
    v("fenced", s.fenced);
    v("kept", s.kept);
    v("counted_epoch", s.counted_epoch);
    v("promised", s.promised);
  }
  friend bool operator==(const NodeObservation&, const NodeObservation&) = default;
};

// One agent's whole view, sent after every change. Level-triggered: a lost report costs time only.
struct HostReport {
  HostId host;
  Revision assignment_revision;  // of the newest assignment the agent has taken up
  AssignmentTicket ticket;       // and its name; whatever it began by an older one is told too
  std::vector<Shared<NodeObservation>> nodes;
};

// The newest report of every host, and what follows from their sequence.
struct Observed {
  Monotonic now;  // on the control plane's clock, when the decision is taken
  std::map<NodeKey, Monotonic> dead_since;  // on the same clock: when it was first seen dead
  std::map<HostId, Revision> assignment_revision;
  std::map<NodeKey, NodeObservation> nodes;
  // Of nodes that move: the copy at the new place, as the agent there sees it.
  std::map<NodeKey, NodeObservation> arrivals;
  // What an agent may do by itself, by some assignment that it may still have, makes an observation
  // old at once: nodes that it may start again as a primary, and replicas that it may promote.
  std::set<NodeKey> may_start_again;
  std::set<NodeKey> may_be_promoted;
  // Replicas on which the agent of their primary counts, by whatever assignment it still may have:
  // at which address, and in which epoch.
  struct Counted {
    Ipv4 address;
    Epoch epoch{0};
  };
  std::map<NodeKey, Counted> counted;
  // Groups of which a failover is being committed: what was decided on must not change meanwhile.
  std::set<ReplicationGroupId> deciding;
  // Hosts of which no lease lasts any more, for certain, and since when; a host that asks for one
  // is not among them. Whether this leader grants any.
  std::map<HostId, Monotonic> silent;
  bool grants_leases = false;
  int unsettled = 0;  // groups and clusters that are not yet what they should be
  // Nodes whose agent was asked for a survey and has not answered yet: what was seen of them may be
  // long past.
  std::set<NodeKey> unheard;

  const NodeObservation* find(const NodeKey& key) const {
    const auto it = nodes.find(key);
    return it == nodes.end() ? nullptr : &it->second;
  }
  const NodeObservation* find_arrival(const NodeKey& key) const {
    const auto it = arrivals.find(key);
    return it == arrivals.end() ? nullptr : &it->second;
  }
  // The node as its agent saw it. One that has no host runs nowhere; nobody needs to see that.
  const NodeObservation* find(const CacheClusterId& cluster, const Node& node) const {
    static const NodeObservation kNowhere;
    return node.host.empty() ? &kNowhere : find(NodeKey{cluster, node.id});
  }
  // How long a node has been seen dead; zero when it is not.
  Duration dead_for(const NodeKey& key) const {
    const auto it = dead_since.find(key);
    return it == dead_since.end() ? Duration() : now - it->second;
  }
};

}  // namespace hikae::core
