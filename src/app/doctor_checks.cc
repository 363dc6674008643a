#include "app/doctor_checks.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

#include "adapters/process/socket_diag.h"
#include "adapters/system/data_directory.h"
#include "adapters/system/priority.h"
#include "adapters/system/probe.h"
#include "app/agent_metrics.h"
#include "app/dns_probe.h"
#include "app/fence_module.h"
#include "app/http_get.h"
#include "app/programs.h"
#include "app/runtime_facts.h"

namespace hikae::app {
namespace {

using adapters::ListeningSocket;
using Level = Finding::Level;
using Protocol = ListeningSocket::Protocol;

constexpr std::uint16_t kRedisPort = 6379;
constexpr std::uint64_t kDiskWarnBytes = 1ull << 30;
constexpr std::uint64_t kDiskFailBytes = 64ull << 20;
// An engine with its default of 10000 clients asks for 32 more descriptors (redis.conf,
// maxclients).
constexpr rlim_t kEngineDescriptors = 10'032;
constexpr int kDnsTimeoutMs = 1'000;
constexpr int kMetricsTimeoutMs = 1'000;
constexpr auto kMeasured = std::chrono::seconds(1);
// The first address of the first VPC's first subnet, as the engines will use it.
constexpr Ipv4 kFirstNodeAddress(127u << 24 | 64u << 16 | 10u);

Finding ok(std::string subject, std::string text) {
  return Finding{Level::kOk, std::move(subject), std::move(text), {}};
}

std::string existing_parent(const std::string& path) {
  std::filesystem::path at = adapters::absolute_path(path);
  std::error_code error;
  while (!std::filesystem::exists(at, error) && at.has_relative_path()) {
    at = at.parent_path();
  }
  return at.string();
}

Finding check_listen(const std::string& subject, const SocketAddress& address, Protocol protocol,
                     bool required) {
  const Status status = adapters::probe_bind(protocol, address.address, address.port);
  if (status) {
    return ok(subject, address.str() + " is free");
  }
  const Level level = required ? Level::kFail : Level::kWarn;
  if (status.error().code == ErrorCode::kDenied) {
    return Finding{level, subject, address.str() + " needs a privilege",
                   "sudo sysctl net.ipv4.ip_unprivileged_port_start=53, or serve as root; without "
                   "it hikae shell takes another way"};
  }
  const std::string holder = adapters::port_holder(protocol, address.address, address.port);
  const std::string by = holder.empty() ? status.error().message : "taken by " + holder;
  return Finding{level, subject, fmt::format("{} is {}", address.str(), by),
                 "stop that program, or choose another address"};
}

}  // namespace

std::vector<Finding> check_engines(const ServeConfig& config) {
  std::vector<Finding> findings;
  bool any = false;
  for (const auto& engine : find_engines({config.valkey_server, config.redis_server})) {
    any = any || engine.engine == "valkey" || engine.engine == "redis";
    findings.push_back(
        ok("engine", fmt::format("{} {} ({})", engine.engine, engine.version, engine.program)));
  }
  if (!any) {
    findings.push_back(Finding{Level::kFail, "engine",
                               "neither valkey-server nor redis-server found",
                               "sudo apt-get install valkey-server (or redis-server), or name the "
                               "program with --valkey-server"});
  }
  return findings;
}

std::vector<Finding> check_data_directory(const ServeConfig& config) {
  const std::string path = adapters::absolute_path(config.data_directory);
  const std::string existing = existing_parent(path);
  std::vector<Finding> findings;
  if (::access(existing.c_str(), W_OK | X_OK) != 0) {
    findings.push_back(Finding{Level::kFail, "data", path + " cannot be written",
                               "choose another --data, or its owner"});
  } else {
    const auto holder = adapters::lock_holder(path);
    findings.push_back(ok("data", holder ? fmt::format("{} is being served (pid {})", path, *holder)
                                         : fmt::format("{} is writable and not in use", path)));
  }
  struct statvfs disk = {};
  if (::statvfs(existing.c_str(), &disk) == 0) {
    const std::uint64_t free = std::uint64_t(disk.f_bavail) * disk.f_frsize;
    Finding finding = ok("disk", fmt::format("{} MiB free", free >> 20));
    if (free < kDiskWarnBytes) {
      finding.level = free < kDiskFailBytes ? Level::kFail : Level::kWarn;
      finding.mend = "free space: engines write their data there when replicas attach";
    }
    findings.push_back(std::move(finding));
  }
  return findings;
}

std::vector<Finding> check_node_ports() {
  std::vector<Finding> findings;
  const auto taken = adapters::sockets_in_the_way(adapters::listening_sockets(), Protocol::kTcp,
                                                  Ipv4(), kRedisPort);
  if (taken.empty()) {
    findings.push_back(ok("port 6379", "nobody has it on all addresses"));
  }
  for (const ListeningSocket& socket : taken) {
    findings.push_back(
        Finding{Level::kFail, "port 6379",
                fmt::format("{} listens on {}:6379, which takes the port from every node",
                            adapters::holder_of(socket), socket.ipv6 ? "[::]" : "0.0.0.0"),
                "stop it, bind it to 127.0.0.1, or create nodes with another --port"});
  }
  const Status bind = adapters::probe_bind(Protocol::kTcp, kFirstNodeAddress, 0);
  if (bind) {
    findings.push_back(ok("loopback", "127.64.0.0/10 is usable for nodes"));
  } else {
    findings.push_back(
        Finding{Level::kFail, "loopback", bind.error().message,
                "give the loopback interface all of 127.0.0.0/8: sudo ip address add "
                "127.0.0.1/8 dev lo"});
  }
  return findings;
}

std::vector<Finding> check_own_ports(const ServeConfig& config) {
  if (const auto facts = running_serve(config.data_directory)) {
    return {ok("api", fmt::format("served at {} (pid {})", facts->api, facts->pid))};
  }
  return {check_listen("api", config.listen, Protocol::kTcp, true)};
}

std::vector<Finding> check_dns(const ServeConfig& config) {
  std::vector<Finding> findings;
  if (const auto facts = running_serve(config.data_directory)) {
    for (const std::string& text : facts->dns) {
      const auto address = SocketAddress::parse(text);
      if (address && dns_answers(*address, facts->domain, kDnsTimeoutMs)) {
        findings.push_back(ok("dns", text + " answers"));
      } else {
        findings.push_back(
            Finding{Level::kFail, "dns", text + " does not answer",
                    "look at the log of serve, and for a packet filter on loopback"});
      }
    }
    return findings;
  }
  for (const SocketAddress& address : config.dns_listen) {
    findings.push_back(check_listen("dns", address, Protocol::kUdp, true));
  }
  for (const SocketAddress& address : config.dns_listen_if_permitted) {
    findings.push_back(check_listen("dns", address, Protocol::kUdp, false));
  }
  return findings;
}

std::vector<Finding> check_namespaces() {
  switch (adapters::probe_mount_namespace()) {
    case adapters::NamespaceSupport::kDirect:
      return {ok("namespaces", "mount namespaces work (as root)")};
    case adapters::NamespaceSupport::kUnprivileged:
      return {ok("namespaces", "mount namespaces work (with a user namespace)")};
    case adapters::NamespaceSupport::kNone:
      break;
  }
  return {Finding{Level::kWarn, "namespaces", "this machine forbids mount namespaces",
                  "hikae shell cannot make names resolve and replicas follow addresses; allow them "
                  "(sudo sysctl user.max_user_namespaces=15000, "
                  "kernel.apparmor_restrict_unprivileged_userns=0) or run as root"}};
}

std::vector<Finding> check_socket_resets() {
  const Status probed = adapters::probe_socket_destroy();
  if (probed) {
    return {ok("clients", "those of a dying primary can be sent away at once")};
  }
  const bool denied = probed.error().code == ErrorCode::kDenied;
  return {Finding{Level::kWarn, "clients",
                  "those of a primary that dies with gigabytes of data wait until its memory is "
                  "freed (" +
                      probed.error().message + ")",
                  denied ? "serve as root, or give the program the right (sudo setcap "
                           "cap_net_admin+ep hikae)"
                         : "use a kernel that has it"}};
}

std::vector<Finding> check_fence() {
  return {finding_of(find_fences("", ""))};
}

Finding finding_of(const Fences& found) {
  if (!found.module.empty()) {
    return ok("leases", fmt::format("on a host of its own, engines from Redis 6 on and Valkey "
                                    "refuse writes without a lease ({}); {}",
                                    found.module,
                                    found.keeper.empty() ? "older ones have no lease"
                                                         : "older ones are stopped"));
  }
  return Finding{Level::kWarn, "leases", "on a host of its own: " + found.problem,
                 found.keeper.empty()
                     ? "until then a lost host's primaries are replaced only after rebuild_after"
                     : "clients of a stopped engine wait, where others are told READONLY"};
}

std::vector<Finding> check_front() {
  const auto module = find_front_module();
  if (module) {
    return {ok("front", fmt::format("engines can take clients with and without TLS on one port, "
                                    "which the encryption mode preferred is ({})",
                                    *module))};
  }
  return {Finding{
      Level::kWarn, "front",
      "no engine here can take clients with and without TLS on one port: " + module.error().message,
      "until then the encryption mode preferred is refused"}};
}

std::vector<Finding> check_agents(const ServeConfig& config) {
  const auto facts = running_serve(config.data_directory);
  const auto api = facts ? SocketAddress::parse(facts->api) : std::nullopt;
  const auto sample = [&api] {
    const auto text = api ? http_get(*api, kMetricsPath, kMetricsTimeoutMs)
                          : Result<std::string>(fail(ErrorCode::kUnavailable, ""));
    return text ? parse_metrics(*text) : std::nullopt;
  };
  const auto before = sample();
  if (!before) {
    return {};  // nobody serves, which is no finding
  }
  std::this_thread::sleep_for(kMeasured);
  const auto after = sample();
  if (!after) {
    return {};
  }
  const double share = double((after->cpu - before->cpu).count()) /
                       double(std::chrono::microseconds(kMeasured).count());
  return {ok("agents", fmt::format("{} nodes; {} primaries are looked at every {} ms; {:.1f} % of "
                                   "a core",
                                   after->nodes, after->watched, after->glance.count() / 1'000,
                                   share * 100))};
}

std::vector<Finding> check_limits() {
  rlimit files = {};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_max >= kEngineDescriptors) {
    return {ok("open files", files.rlim_max == RLIM_INFINITY
                                 ? std::string("unlimited")
                                 : fmt::format("up to {}", files.rlim_max))};
  }
  return {Finding{Level::kWarn, "open files", fmt::format("up to {}", files.rlim_max),
                  fmt::format("engines will take fewer clients than they should; raise it (ulimit "
                              "-Hn {})",
                              kEngineDescriptors)}};
}

std::vector<Finding> check_priority() {
  if (adapters::may_prefer_this_process()) {
    return {ok("priority", "may run before other work")};
  }
  return {Finding{Level::kWarn, "priority", "may not run before other work",
                  "on a busy machine failovers take longer; permit it (as root, with CAP_SYS_NICE, "
                  "or LimitRTPRIO=1)"}};
}

}  // namespace hikae::app
