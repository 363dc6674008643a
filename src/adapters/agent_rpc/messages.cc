#include "adapters/agent_rpc/messages.h"

#include <algorithm>

#include <fmt/format.h>

#include "codec/agent/messages.h"
#include "core/failover/lease.h"
#include "core/resource/migration.h"

namespace hikae::agent_rpc {
namespace {

using codec::agent::check_text;
using core::NodeObservation;

constexpr std::size_t kMaxNameBytes = 128;
constexpr std::size_t kMaxTextBytes = 1024;
constexpr std::size_t kMaxTokens = 2;
constexpr std::size_t kMaxRulesBytes = 16 * 1024;
constexpr std::size_t kDigestLength = 64;
constexpr Duration kOldest = std::chrono::hours(24);

tl::unexpected<Error> invalid(std::string what) {
  return fail(ErrorCode::kInvalid, std::move(what));
}

// Names become parts of paths and of configuration files.
bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= kMaxNameBytes &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
}

// Of the directory of snapshots; empty: none.
bool is_file_or_none(const std::string& text) {
  return text.size() <= kMaxTextBytes && !text.starts_with('.') &&
         text.find('/') == std::string::npos;
}

Status check_key(const core::NodeKey& key) {
  if (!is_name(key.cluster.str()) || !is_name(key.node.str())) {
    return invalid("a node has no possible name");
  }
  return {};
}

bool is_role(core::Role role) {
  return role == core::Role::kPrimary || role == core::Role::kReplica;
}

bool is_stage(core::SnapshotProgress::Stage stage) {
  return stage >= core::SnapshotProgress::Stage::kNone &&
         stage <= core::SnapshotProgress::Stage::kFailed;
}

bool is_use(core::MigrationSource::Use use) {
  return use >= core::MigrationSource::Use::kNone && use <= core::MigrationSource::Use::kCutOver;
}

// It becomes a part of the engine's configuration file.
bool is_source(const core::MigrationSource& source) {
  return is_use(source.use) && (source.host.empty() || core::is_host_name(source.host));
}

bool is_process(NodeObservation::Process process) {
  return process >= NodeObservation::Process::kAbsent &&
         process <= NodeObservation::Process::kRunning;
}

Status check_texts(const std::vector<std::pair<std::string_view, const std::string*>>& texts) {
  for (const auto& [field, text] : texts) {
    if (Status checked = check_text(field, *text, kMaxTextBytes); !checked) {
      return checked;
    }
  }
  return {};
}

// They become parts of the engine's configuration file.
bool is_access(const core::Access& access) {
  const std::string& mode = access.transit_encryption;
  return (mode.empty() || mode == "preferred" || mode == "required") &&
         access.tokens.size() <= kMaxTokens &&
         std::all_of(access.tokens.begin(), access.tokens.end(), [](const std::string& digest) {
           return digest.size() == kDigestLength &&
                  digest.find_first_not_of("0123456789abcdef") == std::string::npos;
         });
}

// These too, word by word.
bool are_users(const SharedMap& users) {
  const auto is_line = [](const std::string& text) {
    return text.size() <= kMaxRulesBytes && std::none_of(text.begin(), text.end(), [](char c) {
             return static_cast<unsigned char>(c) < 0x20;
           });
  };
  return std::all_of(users.begin(), users.end(), [&](const auto& user) {
    return user.first.find(' ') == std::string::npos && is_line(user.first) && is_line(user.second);
  });
}

Status check_node(const core::NodeAssignment& node) {
  if (Status checked = check_key(node.node); !checked) {
    return checked;
  }
  if (!is_role(node.role)) {
    return invalid(fmt::format("{} has no known role", node.node.str()));
  }
  if (!is_file_or_none(node.snapshot_file) || !is_file_or_none(node.restore_file)) {
    return invalid(fmt::format("{} names a file outside of the snapshots", node.node.str()));
  }
  if (!is_source(node.source)) {
    return invalid(fmt::format("{} has no possible source", node.node.str()));
  }
  if (!is_access(node.access) || !are_users(node.users)) {
    return invalid(fmt::format("{} has no known access", node.node.str()));
  }
  for (const std::string& name : node.certificate_aliases) {
    if (Status checked = check_texts({{"certificate_aliases", &name}}); !checked) {
      return checked;
    }
  }
  return check_texts({{"group", &node.group.str()},
                      {"certificate_name", &node.certificate_name},
                      {"engine", &node.engine},
                      {"engine_version", &node.engine_version},
                      {"primary_name", &node.primary_name},
                      {"snapshot_file", &node.snapshot_file},
                      {"restore_file", &node.restore_file}});
}

Status check_node(const NodeObservation& node) {
  if (Status checked = check_key(node.node); !checked) {
    return checked;
  }
  if (!is_role(node.role) || !is_process(node.process) || !is_stage(node.snapshot.stage)) {
    return invalid(fmt::format("{} has no known role, process or stage", node.node.str()));
  }
  return {};
}

// What an engine wrote to its log may hold anything: as much of it as one line can take.
std::string one_line(std::string text) {
  text.resize(std::min(text.size(), kMaxTextBytes));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return text;
}

void tidy(NodeObservation& node) {
  for (std::string* text :
       {&node.problem, &node.substitution, &node.running_version, &node.newer_program,
        &node.log_problem, &node.unservable, &node.stream, &node.previous_stream,
        &node.restore_problem, &node.snapshot.problem, &node.snapshot.file, &node.snapshot.checksum,
        &node.source.problem, &node.source.version}) {
    *text = one_line(std::move(*text));
  }
}

// Both times are the peer's: whatever they are, nothing overflows.
Duration age_at(Monotonic made, Monotonic seen) {
  if (seen >= made) {
    return {};
  }
  const std::uint64_t age = std::uint64_t(made.microseconds()) - std::uint64_t(seen.microseconds());
  return Duration(std::int64_t(std::min<std::uint64_t>(age, std::uint64_t(kOldest.count()))));
}

}  // namespace

Status AssignmentMessage::check() const {
  if (nodes.size() > kMaxNodesOfMessage) {
    return invalid(fmt::format("an assignment has at most {} nodes", kMaxNodesOfMessage));
  }
  for (const Node& one : nodes) {
    if (Status checked = check_node(one.node); !checked) {
      return checked;
    }
    if (one.directives >= directives.size()) {
      return invalid(fmt::format("{} has no directives", one.node.node.str()));
    }
    if (one.passwords.certificate.size() > codec::agent::kMaxPemBytes) {
      return invalid(fmt::format("{} has a certificate that is too long", one.node.node.str()));
    }
    if (Status checked = check_texts({{"passwords.admin", &one.passwords.admin},
                                      {"passwords.replication", &one.passwords.replication}});
        !checked) {
      return checked;
    }
  }
  return check_text("host", host.str(), kMaxNameBytes);
}

Status ReportMessage::check() const {
  if (nodes.size() > kMaxNodesOfMessage) {
    return invalid(fmt::format("a report has at most {} nodes", kMaxNodesOfMessage));
  }
  for (const NodeObservation& node : nodes) {
    if (Status checked = check_node(node); !checked) {
      return checked;
    }
  }
  return check_text("host", host.str(), kMaxNameBytes);
}

Status LeasedMessage::check() const {
  if (primaries.size() > kMaxNodesOfMessage) {
    return invalid(fmt::format("a lease is of at most {} nodes", kMaxNodesOfMessage));
  }
  for (const Primary& primary : primaries) {
    if (Status checked = check_key(primary.node); !checked) {
      return checked;
    }
  }
  const auto longest = std::chrono::duration_cast<std::chrono::milliseconds>(core::kLongestLease);
  return length_ms <= longest.count() ? Status() : invalid("a lease is too long");
}

LeasedMessage to_message(const control::LeaseGrant& grant) {
  LeasedMessage out;
  out.asked = grant.asked;
  out.length_ms =
      std::uint32_t(std::chrono::duration_cast<std::chrono::milliseconds>(grant.length).count());
  for (const auto& [node, epoch] : grant.primaries) {
    out.primaries.push_back({node, epoch});
  }
  return out;
}

control::LeaseGrant from_message(const LeasedMessage& message) {
  control::LeaseGrant out;
  out.asked = message.asked;
  out.length = std::chrono::milliseconds(message.length_ms);
  for (const LeasedMessage::Primary& primary : message.primaries) {
    out.primaries.emplace_back(primary.node, primary.epoch);
  }
  return out;
}

AssignmentMessage to_message(const core::Assignment& assignment, const PasswordSource& passwords) {
  AssignmentMessage out;
  out.host = assignment.host;
  out.revision = assignment.revision;
  out.session = assignment.ticket.session;
  out.number = assignment.ticket.number;
  // Nodes with the same parameters share one map, so its place in memory tells them apart.
  std::map<const SharedMap::Map*, std::uint32_t> known;
  for (const core::NodeAssignment& node : assignment.nodes) {
    const auto next = std::uint32_t(out.directives.size());
    const auto [it, fresh] = known.try_emplace(&node.directives.get(), next);
    if (fresh) {
      out.directives.push_back(node.directives);
    }
    AssignmentMessage::Node one{node, it->second, passwords(node)};
    one.node.directives = {};
    out.nodes.push_back(std::move(one));
  }
  return out;
}

ReceivedAssignment from_message(AssignmentMessage message) {
  ReceivedAssignment out;
  out.assignment.host = message.host;
  out.assignment.revision = message.revision;
  out.assignment.ticket = {message.session, message.number};
  for (AssignmentMessage::Node& one : message.nodes) {
    one.node.directives = message.directives[one.directives];
    out.passwords.insert_or_assign(one.node.node, std::move(one.passwords));
    out.assignment.nodes.emplace_back(std::move(one.node));
  }
  return out;
}

ReportMessage to_message(const core::HostReport& report, Monotonic now) {
  ReportMessage out;
  out.host = report.host;
  out.made = now;
  out.revision = report.assignment_revision;
  out.session = report.ticket.session;
  out.number = report.ticket.number;
  for (const NodeObservation& node : report.nodes) {
    tidy(out.nodes.emplace_back(node));
  }
  return out;
}

core::HostReport from_message(ReportMessage message, Monotonic now) {
  core::HostReport out;
  out.host = std::move(message.host);
  out.assignment_revision = message.revision;
  out.ticket = {message.session, message.number};
  for (NodeObservation& node : message.nodes) {
    tidy(node);
    for (Monotonic* time : {&node.fault_seen, &node.offset_read}) {
      if (*time != Monotonic()) {
        const Duration age = age_at(message.made, *time);
        *time = Monotonic(now.microseconds() - age.count());
      }
    }
    out.nodes.emplace_back(std::move(node));
  }
  return out;
}

}  // namespace hikae::agent_rpc
