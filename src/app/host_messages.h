#pragma once

#include <cstdint>
#include <string>
#include <vector>

// What `hikae host`, `status` and `events` and serve tell each other, as JSON over the API's
// listener: a POST to kHostsPath, signed with the region's access key for the service
// kHostsService.

namespace hikae::app {

inline constexpr const char* kHostsPath = "/hikae/hosts";
inline constexpr const char* kHostsService = "hikae";

struct HostRequest {
  // list, cordon, uncordon, remove, token; drain, stop-drain, drained (how far it is); status,
  // events (status_messages.h)
  std::string action;
  std::string host;
  bool lost = false;                  // remove
  std::int64_t lifetime_seconds = 0;  // token
  std::int64_t timeout_seconds = 0;   // drain; 0: until it is done
  std::string source;                 // events: only of it; empty: all
  std::uint64_t after = 0;            // events: newer than this one; 0: the newest
  std::uint64_t limit = 0;            // events: at most so many
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("action", s.action);
    v("host", s.host);
    v("lost", s.lost);
    v("lifetime_seconds", s.lifetime_seconds);
    v("timeout_seconds", s.timeout_seconds);
    v("source", s.source);
    v("after", s.after);
    v("limit", s.limit);
  }
};

struct HostView {
  std::string id;
  std::string zone;
  std::string state;  // connected, disconnected, this machine; and cordoned or draining
  bool draining = false;
  std::string note;  // of a host whose agent is gone: what the leader knows of it
  std::uint32_t nodes = 0;
  std::uint32_t max_nodes = 0;
  std::uint64_t memory_used = 0;
  std::uint64_t memory_bytes = 0;  // 0: not counted
  std::string addresses;
  std::string engines;
  std::string software;
  bool fences = false;  // its engines can be made to take writes by a lease alone
  bool keeps = false;   // without the module, which refuses writes: keepers stop engines
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("id", s.id);
    v("zone", s.zone);
    v("state", s.state);
    v("draining", s.draining);
    v("note", s.note);
    v("nodes", s.nodes);
    v("max_nodes", s.max_nodes);
    v("memory_used", s.memory_used);
    v("memory_bytes", s.memory_bytes);
    v("addresses", s.addresses);
    v("engines", s.engines);
    v("software", s.software);
    v("fences", s.fences);
    v("keeps", s.keeps);
  }
};

struct HostAnswer {
  std::string error;  // empty: it was done
  std::vector<HostView> hosts;
  std::vector<std::string> waiting;  // nodes that find no place, and what they would need
  std::vector<std::string> moving;   // drain: what becomes of each node of that host
  std::string token;
  std::string server;      // where agents connect
  std::string expires_at;  // of the token
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("error", s.error);
    v("hosts", s.hosts);
    v("waiting", s.waiting);
    v("moving", s.moving);
    v("token", s.token);
    v("server", s.server);
    v("expires_at", s.expires_at);
  }
};

}  // namespace hikae::app
