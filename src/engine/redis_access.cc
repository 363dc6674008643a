#include "engine/redis_access.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "core/reconcile/node_action.h"
#include "engine/certificate.h"
#include "engine/secrets.h"

namespace hikae::engine {
namespace {

constexpr std::string_view kDefaultName = "default";

// Ports of an engine behind a front, below those that the kernel draws for outgoing connections.
constexpr std::uint16_t kInnerPlain = 22'379;
constexpr std::uint16_t kInnerTls = 22'380;
constexpr std::uint16_t kInnerSpare = 22'381;  // in place of one that is the node's own
constexpr std::uint32_t kInnerNetworks = 32;   // 127.32.0.0/16 to 127.63.0.0/16

// ElastiCache's list, then FAILOVER, by which a client could move the primary behind our back.
constexpr std::string_view kRefused =
    "-bgrewriteaof -bgsave -config -debug -migrate -replicaof -save -slaveof -shutdown -sync"
    " -psync -acl|setuser -acl|load -acl|save -acl|deluser"
    " -cluster|addslots -cluster|addslotsrange -cluster|delslots -cluster|delslotsrange"
    " -cluster|bumpepoch -cluster|failover -cluster|flushslots -cluster|forget -cluster|links"
    " -cluster|meet -cluster|setslot"
    " -failover";

const std::string& open_rules() {
  static const std::string kRules = fmt::format("on nopass ~* &* +@all {}", kRefused);
  return kRules;
}

// The tokens as rules of the user `default`, to be put behind its others. Empty when clients need
// none.
std::string token_rules(const core::Access& access) {
  std::string out;
  for (const std::string& digest : access.tokens) {
    // A password beside `nopass` would end that.
    out += access.token_optional ? "" : " #" + digest;
  }
  return out;
}

// The last rule of a command counts, so what is refused comes behind what the customer allows.
SharedMap::Map users_of(const core::NodeAssignment& assignment) {
  SharedMap::Map out;
  for (const auto& [name, rules] : assignment.users) {
    out.emplace(name, fmt::format("{} {}", rules, kRefused));
  }
  if (out.empty()) {
    out.emplace(kDefaultName, open_rules() + token_rules(assignment.access));
  }
  return out;
}

// As a word of a configuration file, whatever is in it.
std::string quoted(std::string_view word) {
  if (word.find_first_of("\"'\\") == std::string_view::npos) {
    return std::string(word);
  }
  std::string out = "\"";
  for (const char c : word) {
    out += c == '"' || c == '\\' ? "\\" : "";
    out += c;
  }
  return out + "\"";
}

bool is_ours(const std::string& name) {
  return name == kAdminUser || name == kReplicationUser;
}

}  // namespace

// Where nodes share an address no two of them have the same port, so that the ports lead to
// addresses of their own. The low bits of the address keep apart hosts that are one machine, as in
// tests. Nodes of one machine begin at 127.64 (core/placement), and these end there.
InnerPlace inner_place(const core::NodeAssignment& assignment) {
  const auto free = [&](std::uint16_t port) {
    return std::uint16_t(port == assignment.port ? kInnerSpare : port);
  };
  const std::uint32_t host = assignment.address.bits() % kInnerNetworks;
  const Ipv4 loopback((127u << 24) | ((kInnerNetworks + host) << 16) | assignment.port);
  return {assignment.shared_address ? loopback : assignment.address, free(kInnerPlain),
          free(kInnerTls)};
}

std::string listening_lines(const core::NodeAssignment& assignment, const std::string& front) {
  const std::string address = assignment.address.str();
  if (!assignment.access.encrypted()) {
    return fmt::format("bind {}\nport {}\n", address, assignment.port);
  }
  std::string out;
  if (assignment.access.takes_both()) {
    const InnerPlace inner = inner_place(assignment);
    out = fmt::format(
        "bind {0}\nport {1}\ntls-port {2}\nreplica-announce-port {4}\n"
        "loadmodule {5} {3} {4} {0} {1} {2}\n",
        inner.address.str(), inner.plain, inner.tls, address, assignment.port, front);
  } else {
    out = fmt::format("bind {}\nport 0\ntls-port {}\n", address, assignment.port);
  }
  return out + fmt::format(
                   "tls-replication {1}\ntls-cert-file {0}\ntls-key-file {0}\n"
                   // Nobody but a member of the group verifies by this file, and clients need no
                   // certificate.
                   "tls-ca-cert-file {0}\ntls-auth-clients no\ntls-protocols \"TLSv1.2 TLSv1.3\"\n",
                   kCertificateFile,
                   core::follows_encrypted(assignment, assignment.access) ? "yes" : "no");
}

std::string_view client_rules() {
  return open_rules();
}

std::string render_users(const core::NodeAssignment& assignment) {
  std::string out;
  for (const auto& [name, rules] : users_of(assignment)) {
    out += fmt::format("user {}", quoted(name));
    for (const std::string& rule : split(rules, ' ')) {
      out += " " + quoted(rule);
    }
    out += "\n";
  }
  return out;
}

std::vector<Command> commands_for_users(const core::NodeAssignment& assignment,
                                        const std::vector<std::string>& present) {
  const SharedMap::Map users = users_of(assignment);
  std::vector<Command> out;
  // Whoever is to lose access loses it first.
  for (const std::string& name : present) {
    if (name != kDefaultName && !is_ours(name) && !users.contains(name)) {
      out.push_back({"ACL", "DELUSER", name});
    }
  }
  for (const auto& [name, rules] : users) {
    Command command = {"ACL", "SETUSER", name, "reset"};
    for (std::string& rule : split(rules, ' ')) {
      command.push_back(std::move(rule));
    }
    out.push_back(std::move(command));
  }
  return out;
}

Command reload_certificate() {
  return {"CONFIG", "SET", "tls-cert-file", std::string(kCertificateFile)};
}

}  // namespace hikae::engine
