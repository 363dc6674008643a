#include "app/host_command.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "adapters/system/data_directory.h"
#include "adapters/system/files.h"
#include "adapters/system/real_clock.h"
#include "app/host_messages.h"
#include "app/http_get.h"
#include "app/runtime_facts.h"
#include "codec/record/record.h"
#include "codec/sign/sign.h"
#include "core/placement/host_room.h"

namespace hikae::app {
namespace {

constexpr int kTimeoutMs = 10'000;

Result<HostAnswer> ask(const HostCommand& command) {
  const auto facts = running_serve(command.data_directory);
  const auto credentials = adapters::read_credentials(command.data_directory);
  if (!facts || !credentials) {
    return tl::unexpected(facts ? credentials.error() : facts.error());
  }
  const HostRequest request{
      command.action, command.host, command.lost,
      std::chrono::duration_cast<std::chrono::seconds>(command.lifetime).count()};
  HttpCall call;
  call.method = "POST";
  call.path = kHostsPath;
  call.body = codec::to_json(request);
  const std::array<codec::Header, 1> signed_headers = {codec::Header{"Host", facts->api}};
  const codec::SignRequest to_sign{call.method, call.path, "", signed_headers, call.body};
  codec::Credential credential;
  credential.access_key_id = credentials->access_key_id;
  credential.secret = credentials->secret_access_key;
  const adapters::RealClock clock;
  call.headers =
      codec::sign_v4_header(to_sign, credential, facts->region, kHostsService, clock.now());
  const auto reply = http_call(*SocketAddress::parse(facts->api), call, kTimeoutMs);
  if (!reply) {
    return tl::unexpected(reply.error());
  }
  auto answer = codec::from_json<HostAnswer>(reply->body);
  if (!answer) {
    return fail(ErrorCode::kInternal, fmt::format("serve answered {} and nothing that can be read; "
                                                  "is it of the same version?",
                                                  reply->status));
  }
  return answer->error.empty() ? answer : fail(ErrorCode::kInvalid, answer->error);
}

using Row = std::vector<std::string>;

void print_table(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += fmt::format("{:<{}}", row[i], i + 1 < row.size() ? widths[i] + 2 : 0);
    }
    fmt::print("{}\n", line);
  }
}

void print_hosts(const HostAnswer& answer) {
  std::vector<Row> rows = {{"HOST", "ZONE", "STATE", "NODES", "MEMORY", "ADDRESSES", "ENGINES"}};
  for (const HostView& host : answer.hosts) {
    const std::string memory = host.memory_bytes == 0
                                   ? "not counted"
                                   : fmt::format("{} of {}", core::in_words(host.memory_used),
                                                 core::in_words(host.memory_bytes));
    rows.push_back({host.id, host.zone, host.state, fmt::format("{}", host.nodes), memory,
                    host.addresses.empty() ? "loopback" : host.addresses, host.engines});
  }
  print_table(rows);
  for (const std::string& line : answer.waiting) {
    fmt::print("waiting: {}\n", line);
  }
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
