#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "codec/agent/frame.h"

// Every message but those that carry the region's own values, assignment, report and leased, which
// are in adapters/agent_rpc.

namespace hikae::codec::agent {

inline constexpr std::size_t kMaxNameBytes = 128;
inline constexpr std::size_t kMaxLineBytes = 1024;
inline constexpr std::size_t kMaxPemBytes = 16 * 1024;
inline constexpr std::size_t kMaxListLength = 64;

// What a host says of itself.
struct HostFacts {
  std::string zone;
  std::uint32_t max_nodes = 0;
  std::uint64_t memory_bytes = 0;
  std::vector<AddressRange> addresses;
  std::vector<std::string> engines;
  bool shared_addresses = false;  // nodes have them in common, each with a port of its own
  bool fences = false;            // its engines can be made to take writes by a lease alone
  bool keeps = false;             // without the module, which refuses writes: keepers stop them
  bool fronts = false;            // its engines can take clients with and without TLS on one port
  friend bool operator==(const HostFacts&, const HostFacts&) = default;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("zone", s.zone);
    v("max_nodes", s.max_nodes);
    v("memory_bytes", s.memory_bytes);
    v("addresses", s.addresses);
    v("engines", s.engines);
    v("shared_addresses", s.shared_addresses);
    v("fences", s.fences);
    v("keeps", s.keeps);
    v("fronts", s.fronts);
  }
  Status check() const;
};

// An agent's first words, where it has a certificate. `instance` names this run of the agent: the
// same one that connects again replaces its old connection, another one is a second agent.
struct Hello {
  static constexpr MessageType kType = MessageType::kHello;
  ProtocolVersion protocol;
  std::string software;
  std::string instance;
  HostFacts facts;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("protocol", s.protocol);
    v("software", s.software);
    v("instance", s.instance);
    v("facts", s.facts);
  }
  Status check() const;
};

// The answer to hello: from now on assignments come and reports go.
struct Welcome {
  static constexpr MessageType kType = MessageType::kWelcome;
  ProtocolVersion protocol;
  std::string software;
  std::string region;
  // The host is none of the region's any more: whatever runs on it is to end.
  bool removed = false;
  // Either side pings so often, and gives the connection up when nothing came for so long.
  std::uint32_t ping_every_ms = 0;
  std::uint32_t silence_ms = 0;
  // How long the leases are that this server grants; 0: it grants none.
  std::uint32_t lease_ms = 0;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("protocol", s.protocol);
    v("software", s.software);
    v("region", s.region);
    v("removed", s.removed);
    v("ping_every_ms", s.ping_every_ms);
    v("silence_ms", s.silence_ms);
    v("lease_ms", s.lease_ms);
  }
  Status check() const;
};

// An agent's first words, where it has no certificate yet.
struct Join {
  static constexpr MessageType kType = MessageType::kJoin;
  ProtocolVersion protocol;
  std::string software;
  std::string token_id;
  std::string token_secret;
  std::string name;
  std::string certificate_request;  // PEM
  HostFacts facts;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("protocol", s.protocol);
    v("software", s.software);
    v("token_id", s.token_id);
    v("token_secret", s.token_secret);
    v("name", s.name);
    v("certificate_request", s.certificate_request);
    v("facts", s.facts);
  }
  Status check() const;
};

// The answer to join, and the end of this connection.
struct Joined {
  static constexpr MessageType kType = MessageType::kJoined;
  ProtocolVersion protocol;
  std::string certificate;     // PEM; names the host
  std::string ca_certificate;  // PEM
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("protocol", s.protocol);
    v("certificate", s.certificate);
    v("ca_certificate", s.ca_certificate);
  }
  Status check() const;
};

// The other answer to hello and join, and the end of the connection.
struct Refusal {
  static constexpr MessageType kType = MessageType::kRefusal;
  ProtocolVersion protocol;
  std::string code;     // for programs: one of the names below, or a later one
  std::string message;  // for the operator: what is wrong, and what to do
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("protocol", s.protocol);
    v("code", s.code);
    v("message", s.message);
  }
  Status check() const;
};
inline constexpr const char* kRefusedProtocol = "protocol";    // another major version
inline constexpr const char* kRefusedToken = "token";          // unknown or expired
inline constexpr const char* kRefusedHost = "host";            // its name or facts cannot be right
inline constexpr const char* kRefusedDuplicate = "duplicate";  // another agent serves the host
inline constexpr const char* kRefusedBusy = "busy";            // another server, or later

// Proves that the peer lives, and tells how long a message takes. Times are the sender's.
struct Ping {
  static constexpr MessageType kType = MessageType::kPing;
  std::uint64_t number = 0;
  Monotonic sent;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("number", s.number);
    v("sent", s.sent);
  }
  Status check() const { return {}; }
};
struct Pong {
  static constexpr MessageType kType = MessageType::kPong;
  std::uint64_t number = 0;  // both as in the ping
  Monotonic sent;
  Instant answered;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("number", s.number);
    v("sent", s.sent);
    v("answered", s.answered);
  }
  Status check() const { return {}; }
};

// An agent asks for a lease of its primaries. The time is its own, and comes back in the answer.
struct Lease {
  static constexpr MessageType kType = MessageType::kLease;
  Monotonic asked;
  // Of the newest question that was answered on this connection; zero: none was yet. Agents of
  // before there was this do not tell.
  Monotonic answered;
  bool tells_answered = false;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("asked", s.asked);
    v("answered", s.answered);
    v("tells_answered", s.tells_answered);
  }
  Status check() const { return {}; }
};

// An agent wants a certificate that lives longer than its own.
struct Renew {
  static constexpr MessageType kType = MessageType::kRenew;
  std::string certificate_request;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("certificate_request", s.certificate_request);
  }
  Status check() const;
};
struct Renewed {
  static constexpr MessageType kType = MessageType::kRenewed;
  std::string certificate;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("certificate", s.certificate);
  }
  Status check() const;
};

// Why partners of these versions do not understand each other, for the operator of either; empty:
// they do. `who` is how the other one is called, `the server at 10.0.0.1:4567`.
std::string version_conflict(ProtocolVersion ours, ProtocolVersion theirs, std::string_view who,
                             std::string_view their_software);

}  // namespace hikae::codec::agent
