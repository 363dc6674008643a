#pragma once

#include <string>
#include <vector>

#include "core/admission/admission.h"

namespace hikae::core {

// Machines that join and leave the region. The clients of this family are operators and agents, so
// the refusals are in our own words; their codes are `HostNotFound`, `HostAlreadyExists`,
// `InvalidHost`, `HostInUse` and `InvalidJoinToken`.

inline constexpr std::size_t kMaxHosts = 1000;
inline constexpr std::size_t kMaxJoinTokens = 100;
inline constexpr std::uint32_t kMaxNodesOfHost = 5000;
inline constexpr std::size_t kMaxRangesOfHost = 64;
inline constexpr std::uint64_t kMaxAddressesOfHost = 65'536;
inline constexpr std::size_t kMaxHostNameLength = 63;

// What a machine says of itself.
struct HostFacts {
  std::string zone;  // `b` or `ap-northeast-1b`
  std::uint32_t max_nodes = 1000;
  std::uint64_t memory_bytes = 0;  // 0: not counted
  std::vector<AddressRange> addresses;
  std::vector<std::string> engines;
  std::string software;
  bool shared_addresses = false;  // nodes have them in common, each with a port of its own
  bool fences = false;            // its engines can be made to take writes by a lease alone
  bool keeps = false;             // without the module, which refuses writes: keepers stop them
  bool fronts = false;            // its engines can take clients with and without TLS on one port
};

struct CreateJoinToken {
  JoinTokenId id;
  std::string secret_sha256;
  Duration lifetime{};
};

// A machine asks to be a host under a name of its choice. One that has joined already, with the
// same identity, joins again with new facts.
struct JoinHost {
  JoinTokenId token;
  std::string secret_sha256;  // of the secret that it knows
  std::string name;
  std::string identity;
  HostFacts facts;
};

// A host that has joined tells its facts anew; nothing is changed when they are the same.
struct RefreshHost {
  HostId id;
  HostFacts facts;
};

struct CordonHost {
  HostId id;
  bool cordoned = true;
};

// Has the nodes of a host move to others of its zone, with their data, or takes that back: what is
// on its way then is called off, and the host stays cordoned.
struct DrainHost {
  HostId id;
  bool draining = true;
  Duration timeout{};  // zero: until it is done
};

// The leader lost the host's agent, or has it back.
struct NoteHost {
  HostId id;
  bool connected = true;
};

struct RemoveHost {
  HostId id;
  // The operator's word that the machine is gone for good and nothing runs on it: its nodes are
  // placed elsewhere and come back empty, or as replicas. Else a host with nodes is not removed.
  bool lost = false;
};

// Whether the region's nodes run on this machine alone, on one stand-in for each zone, or on hosts
// that join. Makes or removes the stand-ins; refused while nodes run in the other shape.
struct ChooseShape {
  bool one_machine = true;
  bool fronts = true;  // as of a host, where it is one machine
};

Admitted<Transition> admit(const State& state, const CreateJoinToken& command,
                           AdmissionContext context);
Admitted<Transition> admit(const State& state, const JoinHost& command, AdmissionContext context);
Admitted<Transition> admit(const State& state, const RefreshHost& command,
                           AdmissionContext context);
Admitted<Transition> admit(const State& state, const CordonHost& command, AdmissionContext context);
Admitted<Transition> admit(const State& state, const DrainHost& command, AdmissionContext context);
Admitted<Transition> admit(const State& state, const NoteHost& command, AdmissionContext context);
Admitted<Transition> admit(const State& state, const RemoveHost& command, AdmissionContext context);
Admitted<Transition> admit(const State& state, const ChooseShape& command,
                           AdmissionContext context);

// The stand-in for a zone: `local-<zone>`.
Host stand_in_for(const ZoneName& zone);

// AWS's code, for its clients: the host's engines cannot take clients with and without TLS.
Fault no_front(const Host& host);

// `cluster/node` of every node that is placed on the host or on its way there, in order.
std::vector<NodeKey> nodes_on(const State& state, const HostId& host);

}  // namespace hikae::core
