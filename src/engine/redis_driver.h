#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "control/ports.h"
#include "engine/admin_connection.h"
#include "engine/certificate.h"
#include "engine/engine_binaries.h"
#include "engine/redis_config.h"
#include "engine/secrets.h"

namespace hikae::engine {

// Redis and Valkey: one configuration language, one protocol. Keeps one administrative connection
// per node, over the unix socket in the node's directory, as the hidden administrator.
class RedisDriver final : public control::EngineDriver {
 public:
  struct Options {
    SecretSource secrets;
    CertificateSource certificates;
    std::shared_ptr<const InstalledEngines> installed =
        std::make_shared<InstalledEngines>(InstalledEngines::List());
    // Our module, the program for engines that cannot load it, and where both find the leases of
    // this host's engines; empty and nullptr: none are fenced, or none of that kind.
    std::string fence_module;
    std::string keeper;
    std::string front_module;  // empty: no engine takes clients with and without TLS on one port
    control::FenceLeases* leases = nullptr;
    bool strict = false;  // refuse to substitute another version
    Duration connect_timeout = std::chrono::milliseconds(200);
    Duration call_timeout = std::chrono::milliseconds(500);
    // How long a question may stay open, see Inquiry.
    Duration inquiry_timeout = std::chrono::hours(24);
  };

  // `runner` and `connector` must outlive the driver.
  RedisDriver(Options options, control::ProcessRunner& runner, AdminConnector& connector);

  Result<control::LaunchSpec> launch_spec(const core::NodeAssignment& assignment) override;
  std::uint64_t programs_edition() const override { return options_.installed->edition(); }
  std::vector<std::string> data_files(const core::NodeAssignment& assignment) const override;
  control::Awaitable<Result<control::EngineStatus>> inspect(
      core::NodeAssignment assignment) override;
  control::Awaitable<Status> follow(core::NodeAssignment assignment) override;
  control::Awaitable<Status> demote(core::NodeAssignment assignment) override;
  control::Awaitable<Status> promote(core::NodeAssignment assignment) override;
  // kInvalid: the engine refused a directive, which then waits for the next start. The others are
  // set.
  control::Awaitable<Status> apply_directives(core::NodeAssignment assignment,
                                              std::map<std::string, std::string> changed) override;
  control::Awaitable<Status> apply_access(core::NodeAssignment assignment) override;
  control::Awaitable<Result<std::uint64_t>> pause_writes(core::NodeAssignment assignment,
                                                         Duration bound) override;
  control::Awaitable<Status> resume_writes(core::NodeAssignment assignment) override;
  control::Awaitable<Status> save_and_end(core::NodeAssignment assignment) override;
  control::Awaitable<Status> drop_clients(core::NodeAssignment assignment) override;
  void disconnect(core::NodeKey node) override;

 private:
  struct Link {
    std::unique_ptr<AdminConnection> connection;
    // Whose replication password the engine was told; nullopt: not introduced yet.
    std::optional<core::ReplicationGroupId> group;
    std::string certificate;  // which the engine was told to take; empty: none
    std::string version;
    bool settled = false;  // the newest answer was of an engine that is where it should be
  };
  using Replies = std::vector<codec::resp::Value>;
  // A question that stays open when whoever asked waits no longer; asking again joins it. A busy
  // engine gets to it in the end, while a new connection would queue up at the end each time.
  struct Inquiry {
    Inquiry(boost::asio::any_io_executor executor, int in_survey)
        : survey(in_survey), answered(std::move(executor)) {}
    void end(Result<control::EngineStatus> with);
    const int survey;  // asked when that survey was on: the answer is no older; 0: in none
    std::optional<Result<control::EngineStatus>> answer;
    boost::asio::steady_timer answered;  // cancelled then
  };

  // What it loads. kUnavailable: it cannot be started without a module that is not here.
  Result<EngineModules> modules_of(const core::NodeAssignment& assignment,
                                   const InstalledEngine& installed) const;
  Status put_under_keeper(const core::NodeAssignment& assignment, control::LaunchSpec& spec) const;
  void add_fence(const core::NodeAssignment& assignment, std::vector<std::string>& sections) const;
  void add_keeper(const core::NodeKey& node, control::EngineStatus& status) const;
  NodeSecrets secrets_of(const core::NodeAssignment& assignment) const;
  // What makes it follow, where the outcome of the last one counts.
  std::vector<Command> commands_to_follow(const core::NodeAssignment& assignment) const;
  std::vector<Command> login_at_primary(const core::NodeAssignment& assignment) const;
  control::Awaitable<Result<control::EngineStatus>> read_info(core::NodeAssignment assignment,
                                                              std::vector<std::string> sections);
  // In a coroutine of its own, which ends when the node's connection does: disconnect() each node
  // before the end of the driver, and let the executor run out.
  control::Awaitable<void> inquire(std::shared_ptr<Inquiry> inquiry,
                                   core::NodeAssignment assignment);
  // Null when it was not answered in time.
  control::Awaitable<std::shared_ptr<Inquiry>> await_answer(core::NodeAssignment assignment);
  control::Awaitable<Result<control::EngineStatus>> look(core::NodeAssignment assignment);
  // Commands have call_timeout for their replies. kTimeout at once while a question is open.
  control::Awaitable<Result<Replies>> ask(core::NodeAssignment assignment,
                                          std::vector<Command> commands);
  // Runs the commands on the node's connection, opening and introducing it first where needed. Any
  // failure drops the connection.
  control::Awaitable<Result<Replies>> exchange(core::NodeAssignment assignment,
                                               std::vector<Command> commands, Duration timeout);
  control::Awaitable<Result<std::shared_ptr<Link>>> link(core::NodeAssignment assignment,
                                                         Duration timeout);
  control::Awaitable<Result<std::shared_ptr<Link>>> open_link(core::NodeKey node);
  // What the certificate file of the node should hold; empty when it is not encrypted.
  Result<std::string> certificate_for(const core::NodeAssignment& assignment) const;
  // Puts it there and makes the engine take it.
  control::Awaitable<Status> show_certificate(std::shared_ptr<Link> link, core::NodeKey node,
                                              std::string certificate, Duration timeout);
  void drop(const core::NodeKey& node, const std::shared_ptr<Link>& link);
  control::Awaitable<Status> introduce(std::shared_ptr<Link> link, core::NodeAssignment assignment,
                                       Duration timeout);
  control::Awaitable<Status> expect_ok(core::NodeAssignment assignment, Command command);

  Options options_;
  control::ProcessRunner& runner_;
  AdminConnector& connector_;
  std::map<core::NodeKey, std::shared_ptr<Link>> links_;
  std::map<core::NodeKey, std::shared_ptr<Inquiry>> inquiries_;
  std::map<core::NodeKey, std::shared_ptr<bool>> opening_;  // true: disconnected meanwhile
};

}  // namespace hikae::engine
