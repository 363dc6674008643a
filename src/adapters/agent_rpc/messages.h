#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "codec/agent/frame.h"
#include "control/ports.h"
#include "core/reconcile/assignment.h"
#include "core/reconcile/observed.h"

// The two messages that carry the region's own values, and what becomes of those on the way.

namespace hikae::agent_rpc {

inline constexpr std::size_t kMaxNodesOfMessage = 5000;

// Secrets of a node: the passwords of its hidden users, and of one that is encrypted its key and
// certificate. They travel with the node, so that a host never learns those of nodes that it does
// not run.
struct NodePasswords {
  std::string admin;
  std::string replication;
  std::string certificate;  // PEM, with the key; empty: none
  friend bool operator==(const NodePasswords&, const NodePasswords&) = default;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("admin", s.admin);
    v("replication", s.replication);
    v("certificate", s.certificate);
  }
};
using Passwords = std::map<core::NodeKey, NodePasswords>;
using PasswordSource = std::function<NodePasswords(const core::NodeAssignment&)>;

// An assignment. Nodes with the same directives name them by their place in one list.
struct AssignmentMessage {
  static constexpr codec::agent::MessageType kType = codec::agent::MessageType::kAssignment;
  struct Node {
    core::NodeAssignment node;     // without directives
    std::uint32_t directives = 0;  // which ones
    NodePasswords passwords;
    template <class Self, class V>
    static void visit(Self& s, V&& v) {
      v("node", s.node);
      v("directives", s.directives);
      v("passwords", s.passwords);
    }
  };
  core::HostId host;
  core::Revision revision;
  Instant session;
  std::uint64_t number = 0;
  std::vector<SharedMap> directives;
  std::vector<Node> nodes;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("host", s.host);
    v("revision", s.revision);
    v("session", s.session);
    v("number", s.number);
    v("directives", s.directives);
    v("nodes", s.nodes);
  }
  Status check() const;
};

AssignmentMessage to_message(const core::Assignment& assignment, const PasswordSource& passwords);
struct ReceivedAssignment {
  core::Assignment assignment;
  Passwords passwords;
};
ReceivedAssignment from_message(AssignmentMessage message);

// A report. The clocks of two machines have nothing in common, so a point of the agent's clock is
// told together with the time at which the message was made.
struct ReportMessage {
  static constexpr codec::agent::MessageType kType = codec::agent::MessageType::kReport;
  core::HostId host;
  Monotonic made;
  core::Revision revision;  // of the assignment that was taken up
  Instant session;          // and its ticket
  std::uint64_t number = 0;
  std::vector<core::NodeObservation> nodes;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("host", s.host);
    v("made", s.made);
    v("revision", s.revision);
    v("session", s.session);
    v("number", s.number);
    v("nodes", s.nodes);
  }
  Status check() const;
};

// The answer to a question for a lease: these primaries may take writes for so long, from when the
// agent asked.
struct LeasedMessage {
  static constexpr codec::agent::MessageType kType = codec::agent::MessageType::kLeased;
  struct Primary {
    core::NodeKey node;
    core::Epoch epoch{0};
    template <class Self, class V>
    static void visit(Self& s, V&& v) {
      v("node", s.node);
      v("epoch", s.epoch);
    }
  };
  Monotonic asked;
  std::uint32_t length_ms = 0;
  std::vector<Primary> primaries;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("asked", s.asked);
    v("length_ms", s.length_ms);
    v("primaries", s.primaries);
  }
  Status check() const;
};

LeasedMessage to_message(const control::LeaseGrant& grant);
control::LeaseGrant from_message(const LeasedMessage& message);

ReportMessage to_message(const core::HostReport& report, Monotonic now);
// `now` on the receiver's clock.
core::HostReport from_message(ReportMessage message, Monotonic now);

}  // namespace hikae::agent_rpc
