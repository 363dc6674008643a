#include "app/host_command.h"

#include <cstdio>
#include <thread>

#include <fmt/format.h>

#include "adapters/system/files.h"
#include "app/host_views.h"
#include "app/region_client.h"
#include "app/text_table.h"

namespace hikae::app {
namespace {

constexpr auto kLookEvery = std::chrono::seconds(1);

Result<HostAnswer> ask(const HostCommand& command) {
  HostRequest request;
  request.action = command.action;
  request.host = command.host;
  request.lost = command.lost;
  request.lifetime_seconds =
      std::chrono::duration_cast<std::chrono::seconds>(command.lifetime).count();
  request.timeout_seconds =
      std::chrono::duration_cast<std::chrono::seconds>(command.timeout).count();
  return ask_region<HostAnswer>(command.data_directory, request);
}

void print_hosts(const HostAnswer& answer) {
  print_table(host_rows(answer.hosts));
  for (const HostView& host : answer.hosts) {
    if (!host.note.empty()) {
      fmt::print("note: {}: {}\n", host.id, host.note);
    }
  }
  for (const std::string& line : answer.waiting) {
    fmt::print("waiting: {}\n", line);
  }
}

const HostView* find_host(const HostAnswer& answer, const std::string& name) {
  for (const HostView& host : answer.hosts) {
    if (host.id == name) {
      return &host;
    }
  }
  return nullptr;
}

// Follows a drain until it is over, and tells what has changed since the last look. It goes on by
// itself when this command is interrupted.
Status follow_drain(HostCommand command, HostAnswer answer) {
  std::string told;
  command.action = "drained";
  while (true) {
    const HostView* host = find_host(answer, command.host);
    if (host == nullptr) {
      return fail(ErrorCode::kNotFound, fmt::format("host {} was removed", command.host));
    }
    std::string now = fmt::format("{}: nodes left: {}", host->id, host->nodes);
    for (const std::string& line : answer.moving) {
      now += "\n  " + line;
    }
    if (now != told) {
      fmt::print("{}\n", now);
      std::fflush(stdout);
      told = now;
    }
    if (!host->draining) {
      break;
    }
    std::this_thread::sleep_for(kLookEvery);
    auto next = ask(command);
    if (!next) {
      return tl::unexpected(next.error());
    }
    answer = std::move(*next);
  }
  const std::uint32_t left = find_host(answer, command.host)->nodes;
  if (left > 0) {
    return fail(
        ErrorCode::kTimeout,
        fmt::format("host {0} is not empty (nodes left: {1}), and its drain has ended; `hikae "
                    "host drain {0}` goes on with it",
                    command.host, left));
  }
  fmt::print("host {} is empty and cordoned\n", command.host);
  return {};
}

// The token goes alone to stdout or into its file; how to use it to stderr.
Status print_token(const HostAnswer& answer, const std::string& file) {
  if (file.empty()) {
    fmt::print("{}\n", answer.token);
  } else if (Status written = adapters::write_file(file, answer.token + "\n", 0600); !written) {
    return written;
  }
  fmt::print(stderr,
             "Good until {}. Bring it to the new host in a file, and run there:\n"
             "  hikae agent --zone ZONE --join https://{} --token-file FILE --data DIR "
             "--addresses FIRST-LAST@INTERFACE\n",
             answer.expires_at, answer.server);
  return {};
}

}  // namespace

int run_host(const HostCommand& command) {
  const auto answer = ask(command);
  Status done = answer ? Status() : Status(tl::unexpected(answer.error()));
  if (answer && command.action == "token") {
    done = print_token(*answer, command.output_file);
  } else if (answer && command.action == "drain") {
    done = follow_drain(command, *answer);
  } else if (answer) {
    print_hosts(*answer);
  }
  if (!done) {
    fmt::print(stderr, "hikae host {}: {}\n", command.action, done.error().message);
    return 1;
  }
  return 0;
}

}  // namespace hikae::app
