#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "core/resource/ids.h"

namespace hikae::core {

// A machine whose agent runs nodes; where one machine is the whole region, its stand-in for a zone.
struct Host {
  using Key = HostId;
  static constexpr const char* kKind = "host";
  HostId id;
  ZoneName zone;
  std::uint32_t max_nodes = 1000;  // a limit for placement, not a reservation
  bool cordoned = false;           // gets no new nodes
  // Its nodes move to other hosts of the zone, until none is left or this time has come (zero: no
  // such time). It is cordoned meanwhile.
  bool draining = false;
  Instant drain_until;
  // A machine of its own has these; a stand-in has none:
  std::string identity;                 // SHA-256 of its agent's public key, hexadecimal
  std::vector<AddressRange> addresses;  // what its nodes may bind
  std::uint64_t memory_bytes = 0;       // for nodes, by their types; 0: not counted
  std::vector<std::string> engines;     // `valkey 8.0.1`
  std::string software;                 // the agent's version of hikae
  Instant joined_at;
  // When the leader lost its agent; zero while it is connected. What every server knows of it.
  Instant absent_since;
  // Its nodes have its addresses in common, each with a port of its own.
  bool shared_addresses = false;
  bool fences = false;  // its engines can be fenced: they take writes by a lease alone
  bool keeps = false;   // without the module, which refuses writes: keepers stop engines
  bool fronts = false;  // its engines can take clients with and without TLS on one port
  const Key& key() const { return id; }
  bool is_stand_in() const { return identity.empty(); }
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("id", s.id);
    v("zone", s.zone);
    v("max_nodes", s.max_nodes);
    v("cordoned", s.cordoned);
    v("draining", s.draining);
    v("drain_until", s.drain_until);
    v("identity", s.identity);
    v("addresses", s.addresses);
    v("memory_bytes", s.memory_bytes);
    v("engines", s.engines);
    v("software", s.software);
    v("joined_at", s.joined_at);
    v("absent_since", s.absent_since);
    v("shared_addresses", s.shared_addresses);
    v("fences", s.fences);
    v("keeps", s.keeps);
    v("fronts", s.fronts);
  }
};

// Lets hosts join the region until it expires. Who holds the secret is who may; here is its digest.
struct JoinToken {
  using Key = JoinTokenId;
  static constexpr const char* kKind = "join_token";
  JoinTokenId id;
  std::string secret_sha256;  // hexadecimal
  Instant created_at;
  Instant expires_at;
  const Key& key() const { return id; }
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("id", s.id);
    v("secret_sha256", s.secret_sha256);
    v("created_at", s.created_at);
    v("expires_at", s.expires_at);
  }
};

}  // namespace hikae::core
