#include "engine/redis_driver.h"

#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "codec/text/digest.h"
#include "core/reconcile/hosts_file.h"
#include "engine/redis_access.h"
#include "engine/redis_config.h"
#include "engine/redis_refusal.h"
#include "engine/redis_status.h"

namespace hikae::engine {
namespace {

using control::Awaitable;

bool is_settled(const control::EngineStatus& status) {
  return !status.loading && (status.role == core::Role::kPrimary || status.link_up);
}

}  // namespace

RedisDriver::RedisDriver(Options options, control::ProcessRunner& runner, AdminConnector& connector)
    : options_(std::move(options)), runner_(runner), connector_(connector) {}

NodeSecrets RedisDriver::secrets_of(const core::NodeAssignment& assignment) const {
  return options_.secrets(assignment.node, assignment.group);
}

Result<control::LaunchSpec> RedisDriver::launch_spec(const core::NodeAssignment& assignment) {
  const auto choice = choose_engine(assignment.engine, assignment.engine_version,
                                    *options_.installed->list(), options_.strict);
  if (!choice) {
    return tl::unexpected(choice.error());
  }
  const auto secrets = secrets_of(assignment);
  auto modules = modules_of(assignment, choice->installed);
  if (!modules) {
    return tl::unexpected(modules.error());
  }
  auto config = render_redis_config(assignment, choice->installed, secrets,
                                    runner_.private_hosts_supported(), *modules);
  if (!config) {
    return tl::unexpected(config.error());
  }
  auto certificate = certificate_for(assignment);
  if (!certificate) {
    return tl::unexpected(certificate.error());
  }
  control::LaunchSpec spec;
  spec.node = assignment.node;
  spec.program = choice->installed.program;
  spec.version = choice->installed.engine + " " + choice->installed.version;
  // The engine makes the path absolute, and its user may not be able to reach the data directory
  // from above. This one leads straight to the directory the process was started in.
  spec.arguments = {fmt::format("/proc/self/cwd/{}", kConfigFile)};
  spec.files.emplace(kConfigFile, std::move(*config));
  if (!certificate->empty()) {
    spec.files.emplace(kCertificateFile, std::move(*certificate));
  }
  spec.substitution = choice->substitution;
  spec.hosts_file = core::render_hosts_file(assignment);
  spec.data_file = kDataFile;
  if (modules->fence.empty()) {
    if (const Status kept = put_under_keeper(assignment, spec); !kept) {
      return tl::unexpected(kept.error());
    }
  }
  return spec;
}

// Members of a group alone can be replaced by others, and so need a fence.
Result<EngineModules> RedisDriver::modules_of(const core::NodeAssignment& assignment,
                                              const InstalledEngine& installed) const {
  EngineModules out;
  if (assignment.access.takes_both()) {
    if (options_.front_module.empty()) {
      return fail(ErrorCode::kUnavailable,
                  fmt::format("node {}: front.so is missing, without which no engine takes clients "
                              "with and without TLS on one port (`hikae doctor` says more)",
                              assignment.node.str()));
    }
    out.front = options_.front_module;
  }
  if (options_.leases == nullptr || options_.fence_module.empty() || assignment.group.empty() ||
      !can_be_fenced(installed)) {
    return out;
  }
  auto lease = options_.leases->path(assignment.node);
  if (!lease) {
    return tl::unexpected(lease.error());
  }
  out.fence = options_.fence_module;
  out.lease = std::move(*lease);
  return out;
}

Status RedisDriver::put_under_keeper(const core::NodeAssignment& assignment,
                                     control::LaunchSpec& spec) const {
  if (options_.leases == nullptr || options_.keeper.empty() || assignment.group.empty()) {
    return {};
  }
  auto lease = options_.leases->path(assignment.node);
  if (!lease) {
    return tl::unexpected(lease.error());
  }
  spec.keeper = options_.keeper;
  spec.lease = std::move(*lease);
  return {};
}

std::vector<std::string> RedisDriver::data_files(const core::NodeAssignment& assignment) const {
  const bool kept = assignment.directives.contains("appendonly") &&
                    assignment.directives.at("appendonly") == "yes";
  // A directory since Redis 7.0, a file before.
  return kept ? std::vector<std::string>{"appendonlydir", "appendonly.aof"}
              : std::vector<std::string>();
}

void RedisDriver::Inquiry::end(Result<control::EngineStatus> with) {
  if (!answer) {
    answer = std::move(with);
    answered.cancel();
  }
}

Awaitable<Result<control::EngineStatus>> RedisDriver::inspect(core::NodeAssignment assignment) {
  const core::NodeKey node = assignment.node;
  const int survey = assignment.which_survey();
  core::NodeAssignment again = assignment;
  auto inquiry = co_await await_answer(std::move(assignment));
  // What was asked before a survey may have been answered before it, too.
  if (inquiry && inquiry->answer->has_value() && survey != 0 && inquiry->survey != survey) {
    inquiry = co_await await_answer(std::move(again));
  }
  if (!inquiry) {
    co_return fail(ErrorCode::kTimeout,
                   fmt::format("node {}: the engine does not answer", node.str()));
  }
  Result<control::EngineStatus> status = *inquiry->answer;
  if (status) {
    add_keeper(node, *status);
  }
  co_return status;
}

// What the engine cannot say itself, because it does not know of its keeper.
void RedisDriver::add_keeper(const core::NodeKey& node, control::EngineStatus& status) const {
  if (options_.leases == nullptr ||
      options_.leases->fence(node) != control::FenceLeases::Fence::kKeeper) {
    return;
  }
  const auto lease = options_.leases->get(node);
  status.has_fence = status.kept = true;
  status.fenced = lease && lease->epoch != core::Epoch(0);
}

Awaitable<std::shared_ptr<RedisDriver::Inquiry>> RedisDriver::await_answer(
    core::NodeAssignment assignment) {
  const core::NodeKey node = assignment.node;
  const auto executor = co_await boost::asio::this_coro::executor;
  std::shared_ptr<Inquiry> inquiry = inquiries_[node];
  if (!inquiry || inquiry->answer) {  // an answer that nobody waited for is old
    inquiry = std::make_shared<Inquiry>(executor, assignment.which_survey());
    inquiries_[node] = inquiry;
    boost::asio::co_spawn(executor, inquire(inquiry, std::move(assignment)), boost::asio::detached);
  }
  if (!inquiry->answer) {
    inquiry->answered.expires_after(options_.call_timeout);
    const auto token = boost::asio::as_tuple(boost::asio::use_awaitable);
    co_await inquiry->answered.async_wait(token);
  }
  co_return inquiry->answer ? inquiry : nullptr;
}

Awaitable<void> RedisDriver::inquire(std::shared_ptr<Inquiry> inquiry,
                                     core::NodeAssignment assignment) {
  auto status = co_await look(std::move(assignment));
  inquiry->end(std::move(status));
}

void RedisDriver::add_fence(const core::NodeAssignment& assignment,
                            std::vector<std::string>& sections) const {
  if (options_.leases != nullptr && !assignment.group.empty()) {
    sections.emplace_back("hikae");
  }
}

// Asks for no more than what is not known yet and may have changed.
Awaitable<Result<control::EngineStatus>> RedisDriver::look(core::NodeAssignment assignment) {
  const auto known = links_.find(assignment.node);
  const bool asked_before = known != links_.end() && !known->second->version.empty();
  if (asked_before && known->second->settled) {
    core::NodeAssignment again = assignment;
    std::vector<std::string> brief = {"replication", "errorstats"};
    add_fence(assignment, brief);
    auto status = co_await read_info(std::move(again), std::move(brief));
    if (!status || is_settled(*status)) {
      co_return status;
    }
  }
  std::vector<std::string> sections = {"replication", "errorstats", "persistence"};
  if (!asked_before) {
    sections.push_back("server");
  }
  add_fence(assignment, sections);
  co_return co_await read_info(std::move(assignment), std::move(sections));
}

Awaitable<Result<control::EngineStatus>> RedisDriver::read_info(core::NodeAssignment assignment,
                                                                std::vector<std::string> sections) {
  const core::NodeKey node = assignment.node;
  std::vector<Command> commands;
  for (std::string& section : sections) {
    commands.push_back({"INFO", std::move(section)});
  }
  if (assignment.weigh) {
    commands.push_back({"INFO", "memory"});
  }
  auto replies =
      co_await exchange(std::move(assignment), std::move(commands), options_.inquiry_timeout);
  if (!replies) {
    co_return tl::unexpected(replies.error());
  }
  std::string text;
  for (const auto& reply : *replies) {
    if (reply.is_error()) {
      co_return tl::unexpected(engine_refusal(node, "INFO", reply));
    }
    text += reply.as_text();
    text += "\r\n";
  }
  auto status = parse_redis_status(text);
  if (!status) {
    status.error().message = fmt::format("node {}: {}", node.str(), status.error().message);
    co_return status;
  }
  if (const auto it = links_.find(node); it != links_.end()) {
    Link& link = *it->second;
    link.version = status->version.empty() ? link.version : status->version;
    link.settled = is_settled(*status);
    status->version = link.version;
  }
  co_return status;
}

// SHUTDOWN SAVE: the engine does nothing else from then on until its process ends, so no write
// comes in between. It answers only when it cannot.
Awaitable<Status> RedisDriver::save_and_end(core::NodeAssignment assignment) {
  const core::NodeKey node = assignment.node;
  // A connection that is broken already looks like one that the command has broken.
  core::NodeAssignment same = assignment;
  std::vector<Command> greeting = {{"PING"}};
  const auto alive = co_await ask(std::move(same), std::move(greeting));
  if (!alive) {
    co_return tl::unexpected(alive.error());
  }
  auto opened = co_await link(std::move(assignment), options_.call_timeout);
  if (!opened) {
    co_return tl::unexpected(opened.error());
  }
  const std::shared_ptr<Link> held = *opened;
  std::vector<Command> commands = {{"SHUTDOWN", "SAVE"}};
  const auto replies = co_await held->connection->call(std::move(commands), options_.call_timeout);
  disconnect(node);
  if (replies && !replies->empty()) {
    co_return tl::unexpected(engine_refusal(node, "SHUTDOWN SAVE", replies->front()));
  }
  co_return Status();
}

Awaitable<Status> RedisDriver::apply_directives(core::NodeAssignment assignment,
                                                std::map<std::string, std::string> changed) {
  const core::NodeKey node = assignment.node;
  const auto choice = choose_engine(assignment.engine, assignment.engine_version,
                                    *options_.installed->list(), options_.strict);
  std::vector<Command> commands;
  for (const auto& [name, value] : changed) {
    if (!choice || accepts_directive(choice->installed, name)) {
      commands.push_back({"CONFIG", "SET", name, value});
    }
  }
  if (commands.empty()) {
    co_return Status();
  }
  std::vector<std::string> names;
  for (const Command& command : commands) {
    names.push_back("CONFIG SET " + command[2]);
  }
  auto replies = co_await ask(std::move(assignment), std::move(commands));
  if (!replies) {
    co_return tl::unexpected(replies.error());
  }
  for (std::size_t i = 0; i < replies->size(); ++i) {
    if ((*replies)[i].is_error()) {
      co_return tl::unexpected(engine_refusal(node, names[i], (*replies)[i]));
    }
  }
  co_return Status();
}

Awaitable<Status> RedisDriver::apply_access(core::NodeAssignment assignment) {
  const core::NodeKey node = assignment.node;
  core::NodeAssignment same = assignment;
  std::vector<Command> question = {{"ACL", "USERS"}};
  const auto names = co_await ask(std::move(same), std::move(question));
  if (!names) {
    co_return tl::unexpected(names.error());
  }
  if (names->front().is_error()) {
    co_return tl::unexpected(engine_refusal(node, "ACL USERS", names->front()));
  }
  std::vector<std::string> present;
  for (const codec::resp::Value& name : names->front().array()) {
    present.emplace_back(name.as_text());
  }
  std::vector<Command> commands = commands_for_users(assignment, present);
  auto replies = co_await ask(std::move(assignment), std::move(commands));
  if (!replies) {
    co_return tl::unexpected(replies.error());
  }
  for (const codec::resp::Value& reply : *replies) {
    if (reply.is_error()) {
      Error refusal = engine_refusal(node, "ACL", reply);
      // The engine repeats the rule that it refuses, and a rule may be a password's hash.
      refusal.message = fmt::format("node {}: users were refused", node.str());
      co_return tl::unexpected(refusal);
    }
  }
  co_return Status();
}

void RedisDriver::disconnect(core::NodeKey node) {
  if (auto link = links_.extract(node)) {
    link.mapped()->connection->close();
  }
  if (auto opening = opening_.extract(node)) {
    *opening.mapped() = true;
  }
  if (auto inquiry = inquiries_.extract(node)) {
    inquiry.mapped()->end(
        fail(ErrorCode::kUnavailable, fmt::format("node {}: nobody waits for it", node.str())));
  }
}

Awaitable<Status> RedisDriver::expect_ok(core::NodeAssignment assignment, Command command) {
  const core::NodeKey node = assignment.node;
  const std::string name = command.front();
  std::vector<Command> commands;
  commands.push_back(std::move(command));
  auto replies = co_await ask(std::move(assignment), std::move(commands));
  if (!replies) {
    co_return tl::unexpected(replies.error());
  }
  if (replies->front().is_error()) {
    co_return tl::unexpected(engine_refusal(node, name, replies->front()));
  }
  co_return Status();
}

Awaitable<Result<RedisDriver::Replies>> RedisDriver::ask(core::NodeAssignment assignment,
                                                         std::vector<Command> commands) {
  const auto open = inquiries_.find(assignment.node);
  if (open != inquiries_.end() && !open->second->answer) {
    co_return fail(ErrorCode::kTimeout,
                   fmt::format("node {}: the engine does not answer", assignment.node.str()));
  }
  co_return co_await exchange(std::move(assignment), std::move(commands), options_.call_timeout);
}

Awaitable<Result<RedisDriver::Replies>> RedisDriver::exchange(core::NodeAssignment assignment,
                                                              std::vector<Command> commands,
                                                              Duration timeout) {
  const core::NodeKey node = assignment.node;
  const std::size_t expected = commands.size();
  auto opened = co_await link(std::move(assignment), timeout);
  if (!opened) {
    co_return tl::unexpected(opened.error());
  }
  // Held here: a disconnect() during the call must not destroy the connection under it.
  const std::shared_ptr<Link> held = *opened;
  auto replies = co_await held->connection->call(std::move(commands), timeout);
  if (replies && replies->size() != expected) {
    replies = fail(ErrorCode::kInternal,
                   fmt::format("{} replies to {} commands", replies->size(), expected));
  }
  if (!replies) {
    drop(node, held);
    replies.error().message = fmt::format("node {}: {}", node.str(), replies.error().message);
  }
  co_return replies;
}

Awaitable<Result<std::shared_ptr<RedisDriver::Link>>> RedisDriver::link(
    core::NodeAssignment assignment, Duration timeout) {
  const core::NodeKey node = assignment.node;
  const auto known = links_.find(node);
  std::shared_ptr<Link> link = known == links_.end() ? nullptr : known->second;
  auto certificate = certificate_for(assignment);
  if (!certificate) {
    certificate = link ? link->certificate : "";  // it goes on with what it has
  }
  if (link && link->group == assignment.group && link->certificate == *certificate) {
    co_return link;
  }
  if (!link) {
    auto opened = co_await open_link(node);
    if (!opened) {
      co_return opened;
    }
    link = *opened;
  }
  const core::ReplicationGroupId group = assignment.group;
  Status introduced = co_await introduce(link, std::move(assignment), timeout);
  if (introduced && !certificate->empty()) {
    introduced = co_await show_certificate(link, node, std::move(*certificate), timeout);
  }
  if (!introduced) {
    drop(node, link);
    co_return tl::unexpected(introduced.error());
  }
  link->group = group;
  co_return link;
}

Awaitable<Result<std::shared_ptr<RedisDriver::Link>>> RedisDriver::open_link(core::NodeKey node) {
  const auto given_up = std::make_shared<bool>(false);
  opening_[node] = given_up;
  auto connection =
      co_await connector_.connect(runner_.path(node, kAdminSocket), options_.connect_timeout);
  if (*given_up) {
    co_return fail(ErrorCode::kUnavailable, fmt::format("node {}: disconnected", node.str()));
  }
  opening_.erase(node);
  if (!connection) {
    co_return tl::unexpected(connection.error());
  }
  const auto link = std::make_shared<Link>();
  link->connection = std::move(*connection);
  links_[node] = link;
  co_return link;
}

void RedisDriver::drop(const core::NodeKey& node, const std::shared_ptr<Link>& link) {
  link->connection->close();
  const auto it = links_.find(node);
  if (it != links_.end() && it->second == link) {
    links_.erase(it);
  }
}

Result<std::string> RedisDriver::certificate_for(const core::NodeAssignment& assignment) const {
  return assignment.access.encrypted() ? options_.certificates(assignment) : std::string();
}

// Told with every new connection, because nobody knows what the engine has read of the file.
Awaitable<Status> RedisDriver::show_certificate(std::shared_ptr<Link> link, core::NodeKey node,
                                                std::string certificate, Duration timeout) {
  const std::string file(kCertificateFile);
  if (runner_.read_note(node, file) != certificate) {
    const Status written = runner_.write_note(node, file, certificate);
    if (!written) {
      co_return written;
    }
  }
  std::vector<Command> commands = {reload_certificate()};
  const auto replies = co_await link->connection->call(std::move(commands), timeout);
  if (!replies) {
    co_return tl::unexpected(replies.error());
  }
  if (replies->front().is_error()) {
    co_return tl::unexpected(engine_refusal(node, "CONFIG SET tls-cert-file", replies->front()));
  }
  link->certificate = std::move(certificate);
  co_return Status();
}

// A node can join or leave a replication group while it runs, and hikae can be restarted in
// between: so every new connection tells the engine the replication password that counts now.
Awaitable<Status> RedisDriver::introduce(std::shared_ptr<Link> link,
                                         core::NodeAssignment assignment, Duration timeout) {
  const auto secrets = secrets_of(assignment);
  std::vector<Command> commands = {
      {"AUTH", std::string(kAdminUser), secrets.admin},
      {"ACL", "SETUSER", std::string(kReplicationUser), "resetpass",
       "#" + codec::sha256_hex(secrets.replication)},
  };
  // Not to one that followed a server outside a moment ago, and may still.
  if (assignment.role == core::Role::kReplica && !assignment.source.is_followed()) {
    commands.push_back({"CONFIG", "SET", "masterauth", secrets.replication});
  }
  auto replies = co_await link->connection->call(std::move(commands), timeout);
  if (!replies) {
    co_return tl::unexpected(replies.error());
  }
  for (const auto& reply : *replies) {
    if (reply.error_code() == "BUSY") {
      co_return tl::unexpected(engine_refusal(assignment.node, "CONFIG", reply));
    }
    if (reply.is_error()) {
      co_return fail(ErrorCode::kDenied,
                     fmt::format("node {}: the engine refused its administrator ({})",
                                 assignment.node.str(), reply.error_code()));
    }
  }
  co_return Status();
}

}  // namespace hikae::engine
