#include "app/status_command.h"

#include <cstdio>
#include <thread>

#include <fmt/format.h>

#include "app/host_views.h"
#include "app/region_client.h"
#include "app/status_messages.h"
#include "app/text_table.h"

namespace hikae::app {
namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(500);

void print_servers(const StatusAnswer& answer) {
  std::vector<TableRow> rows = {{"SERVER", "API", "STATE"}};
  for (const ServerView& server : answer.servers) {
    const std::string leads =
        answer.term == 0 ? "leads" : fmt::format("leads, term {}", answer.term);
    rows.push_back({server.name, server.api,
                    (server.leads ? leads : "follows") + (server.asked ? " (asked)" : "")});
  }
  print_table(rows);
  if (!answer.servers_problem.empty()) {
    fmt::print("note: the other servers are not known: {}\n", answer.servers_problem);
  } else if (answer.leader.empty()) {
    fmt::print("note: no server leads\n");
  }
}

std::string lease_of(const CacheView& cache) {
  return !cache.lease ? "no" : cache.kept ? "by keepers" : "yes";
}

void print_caches(const StatusAnswer& answer) {
  if (answer.caches.empty()) {
    return;
  }
  std::vector<TableRow> rows = {
      {"CACHE", "ENGINE", "STATUS", "PRIMARY", "HOST", "MEMBERS", "LEASE", "NOTE"}};
  for (const CacheView& cache : answer.caches) {
    const std::string members =
        cache.recovering == 0 ? fmt::format("{}", cache.members)
                              : fmt::format("{}, {} recovering", cache.members, cache.recovering);
    rows.push_back({cache.id, cache.engine, cache.status, cache.primary, cache.host, members,
                    lease_of(cache), cache.note});
  }
  fmt::print("\n");
  print_table(rows);
}

void print_status(const StatusAnswer& answer) {
  fmt::print("region {}, revision {}\n\n", answer.region, answer.revision);
  print_servers(answer);
  fmt::print("\n");
  print_table(host_rows(answer.hosts));
  for (const HostView& host : answer.hosts) {
    if (!host.note.empty()) {
      fmt::print("note: {}: {}\n", host.id, host.note);
    }
  }
  print_caches(answer);
  for (const std::string& line : answer.waiting) {
    fmt::print("waiting: {}\n", line);
  }
}

void print_event(const EventView& event, bool json) {
  if (json) {
    fmt::print("{}\n", codec::to_json(event));
  } else {
    fmt::print("{}  {} {}  {}\n", event.at, event.source_type, event.source, event.message);
  }
}

int failed(const char* command, const Error& error) {
  fmt::print(stderr, "hikae {}: {}\n", command, error.message);
  return 1;
}

}  // namespace

int run_status(const StatusCommand& command) {
  HostRequest request;
  request.action = "status";
  const auto answer = ask_region<StatusAnswer>(command.data_directory, request);
  if (!answer) {
    return failed("status", answer.error());
  }
  if (command.json) {
    fmt::print("{}\n", codec::to_json(*answer));
  } else {
    print_status(*answer);
  }
  return 0;
}

int run_events(const EventsCommand& command) {
  HostRequest request;
  request.action = "events";
  request.source = command.source;
  request.limit = command.last;
  while (true) {
    const auto answer = ask_region<EventsAnswer>(command.data_directory, request);
    if (!answer) {
      return failed("events", answer.error());
    }
    for (const EventView& event : answer->events) {
      print_event(event, command.json);
    }
    std::fflush(stdout);
    if (!command.follow) {
      return 0;
    }
    request.after = answer->newest;
    request.limit = kMaxEventsInAnswer;
    std::this_thread::sleep_for(kLookEvery);
  }
}

}  // namespace hikae::app
