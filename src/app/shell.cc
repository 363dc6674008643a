#include "app/shell.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

#include <fmt/format.h>

#include "adapters/system/data_directory.h"
#include "adapters/system/files.h"
#include "adapters/system/probe.h"
#include "app/environment.h"
#include "app/http_get.h"
#include "app/name_keeper.h"
#include "app/private_files.h"
#include "app/resolver_files.h"
#include "app/runtime_facts.h"
#include "app/shell_tools.h"

namespace hikae::app {
namespace {

constexpr int kFirstFetchTimeoutMs = 5'000;
constexpr const char* kResolvConf = "/etc/resolv.conf";
constexpr const char* kHosts = "/etc/hosts";
constexpr const char* kNsswitch = "/etc/nsswitch.conf";

Status resolve_through_dns(Ipv4 dns) {
  if (Status entered = enter_mount_namespace(); !entered) {
    return entered;
  }
  const std::string original = adapters::read_file(kResolvConf).value_or("");
  const auto resolv_conf = cover_file(kResolvConf, private_resolv_conf(original, dns));
  if (!resolv_conf) {
    return tl::unexpected(resolv_conf.error());
  }
  const auto nsswitch = private_nsswitch(adapters::read_file(kNsswitch).value_or(""));
  if (nsswitch) {
    const auto covered = cover_file(kNsswitch, *nsswitch);
    if (!covered) {
      return tl::unexpected(covered.error());
    }
  }
  return {};
}

Status resolve_through_hosts(const SocketAddress& api) {
  const auto names = http_get(api, kNamesPath, kFirstFetchTimeoutMs);
  if (!names) {
    return tl::unexpected(names.error());
  }
  const std::string original = adapters::read_file(kHosts).value_or("");
  const auto content = private_hosts(original, *names);
  if (!content) {
    return tl::unexpected(content.error());
  }
  if (Status entered = enter_mount_namespace(); !entered) {
    return entered;
  }
  const auto hosts = cover_file(kHosts, *content);
  if (!hosts) {
    return tl::unexpected(hosts.error());
  }
  return start_name_keeper(*hosts, original, api);
}

Status set_variables(const std::string& data_directory, const RuntimeFacts& facts, bool with_dig) {
  const auto variables = client_variables(data_directory, facts);
  if (!variables) {
    return tl::unexpected(variables.error());
  }
  for (const std::string& name : conflicting_variables()) {
    ::unsetenv(name.c_str());
  }
  for (const auto& [name, value] : *variables) {
    ::setenv(name.c_str(), value.c_str(), 1);
  }
  ::setenv("HIKAE_DATA", adapters::absolute_path(data_directory).c_str(), 1);
  // Debian's prompt shows this name in brackets.
  ::setenv("debian_chroot", "hikae", 1);
  const char* path = std::getenv("PATH");
  const auto tools =
      tool_path(data_directory, facts, path == nullptr ? "/usr/bin:/bin" : path, with_dig);
  if (!tools) {
    return tl::unexpected(tools.error());
  }
  ::setenv("PATH", tools->c_str(), 1);
  return {};
}

int become(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& word : command) {
    arguments.push_back(const_cast<char*>(word.c_str()));  // execvp's signature; it changes nothing
  }
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  const int error = errno;
  fmt::print(stderr, "hikae shell: {}: {}\n", command[0], std::strerror(error));
  return error == ENOENT ? 127 : 126;
}

}  // namespace

int run_shell(const std::string& data_directory, const std::vector<std::string>& command) {
  const auto facts = running_serve(data_directory);
  if (!facts) {
    fmt::print(stderr, "hikae shell: {}\n", facts.error().message);
    return 1;
  }
  const auto dns = facts->dns_on_port_53();
  const bool with_dig =
      !dns || adapters::probe_mount_namespace() == adapters::NamespaceSupport::kNone;
  // Tools are looked up, and aws asked for its version, before the namespace exists: they need
  // nothing of it.
  if (Status set = set_variables(data_directory, *facts, with_dig); !set) {
    fmt::print(stderr, "hikae shell: {}\n", set.error().message);
    return 1;
  }
  const Status names =
      dns ? resolve_through_dns(*dns) : resolve_through_hosts(*SocketAddress::parse(facts->api));
  if (!names) {
    fmt::print(stderr,
               "hikae shell: endpoint names do not resolve here ({}); dig still works, see hikae "
               "doctor\n",
               names.error().message);
  }
  if (!command.empty()) {
    return become(command);
  }
  fmt::print(stderr, "hikae shell: region {} at {}; type exit to leave\n", facts->region,
             facts->api);
  const char* shell = std::getenv("SHELL");
  return become({shell != nullptr && *shell != '\0' ? shell : "/bin/sh"});
}

}  // namespace hikae::app
