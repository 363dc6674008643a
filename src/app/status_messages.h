#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/host_messages.h"

// What serve answers to the actions `status` and `events` of a HostRequest.

namespace hikae::app {

struct ServerView {
  std::string name;
  std::string api;  // where it answers
  bool leads = false;
  bool asked = false;  // this is the one that answers
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("name", s.name);
    v("api", s.api);
    v("leads", s.leads);
    v("asked", s.asked);
  }
};

// A replication group, or a cluster that stands alone.
struct CacheView {
  std::string id;
  std::string engine;  // `valkey 8.0`
  std::string status;
  std::string primary;  // the member that takes writes
  std::string host;     // where that is; empty: nowhere yet
  std::uint32_t members = 0;
  std::uint32_t recovering = 0;  // of them: lost, and being brought back
  bool lease = false;            // it takes writes by a lease alone
  bool kept = false;             // that is, keepers stop its engines
  std::uint32_t counted = 0;     // by primaries with keepers: replicas that can lead without them
  std::string note;              // what it waits for, where this server knows
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("id", s.id);
    v("engine", s.engine);
    v("status", s.status);
    v("primary", s.primary);
    v("host", s.host);
    v("members", s.members);
    v("recovering", s.recovering);
    v("lease", s.lease);
    v("kept", s.kept);
    v("counted", s.counted);
    v("note", s.note);
  }
};

struct StatusAnswer {
  std::string error;  // empty: all that follows is known
  std::string region;
  std::uint64_t revision = 0;
  std::string leader;      // a server's name; empty: nobody leads
  std::uint64_t term = 0;  // in which it does; 0: it is the only server
  std::vector<ServerView> servers;
  std::string servers_problem;  // why not all of them are known
  std::vector<HostView> hosts;
  std::vector<CacheView> caches;
  std::vector<std::string> waiting;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("error", s.error);
    v("region", s.region);
    v("revision", s.revision);
    v("leader", s.leader);
    v("term", s.term);
    v("servers", s.servers);
    v("servers_problem", s.servers_problem);
    v("hosts", s.hosts);
    v("caches", s.caches);
    v("waiting", s.waiting);
  }
};

struct EventView {
  std::uint64_t id = 0;
  std::string at;  // ISO 8601, UTC
  std::string source_type;
  std::string source;
  std::string message;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("id", s.id);
    v("at", s.at);
    v("source_type", s.source_type);
    v("source", s.source);
    v("message", s.message);
  }
};

struct EventsAnswer {
  std::string error;
  std::vector<EventView> events;  // the oldest first
  std::uint64_t newest = 0;       // of all, whatever was asked for; the next question's `after`
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("error", s.error);
    v("events", s.events);
    v("newest", s.newest);
  }
};

inline constexpr std::uint64_t kMaxEventsInAnswer = 1000;

}  // namespace hikae::app
