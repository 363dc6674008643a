#include "app/control_plane.h"

#include <filesystem>

#include <fmt/format.h>

#include "api/generated/tables.h"
#include "app/agent_metrics.h"
#include "app/moved_mark.h"
#include "app/name_keeper.h"
#include "app/secret_check.h"
#include "core/admission/host.h"
#include "core/admission/region.h"

namespace hikae::app {
namespace {

constexpr const char* kTestKey = "test";
// AWS answers malformed HTTP without a service to speak for, so plain text is enough.
http::Response protocol_error(int status, std::string_view why) {
  http::Response response;
  response.status = status;
  response.headers.emplace_back("Content-Type", "text/plain");
  response.body = fmt::format("{}\n", why);
  return response;
}

std::vector<core::ZoneName> zone_names(const ServeConfig& config) {
  std::vector<core::ZoneName> zones;
  for (const std::string& zone : config.zones) {
    zones.emplace_back(zone);
  }
  return zones;
}

// Beside the nodes, unless it is configured.
LogPlaces log_places(const ServeConfig& config, const std::string& data_directory) {
  const std::string& beside_nodes =
      config.local_agents.empty() ? data_directory : config.local_agents;
  return {config.logs_directory.empty() ? beside_nodes + "/logs" : config.logs_directory,
          config.logs_webhook};
}

// Twelve digits, as AWS's account ids; the first is not 0, because tools take ids for numbers.
std::string draw_account_id(Random& random) {
  const std::string first = random.text(1, "123456789");
  return first + random.text(11, "0123456789");
}

}  // namespace

ControlPlane::ControlPlane(Parts parts)
    : parts_(std::move(parts)),
      frontend_(parts_.context.get_executor(), parts_.state.store(), clock_, random_, parts_.log),
      names_(parts_.zone),
      duty_(RegionDuty::Parts{parts_.context,
                              frontend_,
                              clock_,
                              parts_.log,
                              parts_.reports,
                              parts_.config.local_agents,
                              parts_.data_directory,
                              parts_.driver,
                              {parts_.config.hang, parts_.config.busy},
                              parts_.config.agents_listen,
                              parts_.config.agents_certificate_lifetime,
                              parts_.config.rebuild_after,
                              parts_.config.lease,
                              parts_.ca,
                              *parts_.snapshots.files,
                              log_places(parts_.config, parts_.data_directory),
                              parts_.notifications,
                              parts_.state.leadership(),
                              parts_.runner}),
      report_({frontend_, duty_, parts_.state}),
      host_admin_({frontend_, credentials_, parts_.config, clock_, random_, parts_.log, duty_,
                   parts_.ca, report_}) {}

control::Awaitable<Status> ControlPlane::open() {
  auto opened = co_await frontend_.open();
  if (opened && frontend_.state().revision() == core::Revision(0)) {
    opened = co_await create_region();
  }
  if (opened) {
    opened = check_region();
  }
  if (opened) {
    opened = co_await choose_shape();
  }
  if (!opened) {
    co_return opened;
  }
  accept_credentials();
  names_.publish_all(frontend_.state());
  frontend_.observe([this](const core::State& after, const core::Transition& transition) {
    names_.on_transition(after, transition);
  });
  if (parts_.state.leadership() == nullptr) {
    co_await control::remove_unused_snapshot_files(frontend_, *parts_.snapshots.files, parts_.log);
  }
  co_return take_part();
}

Status ControlPlane::take_part() {
  const auto executor = parts_.context.get_executor();
  if (parts_.state.watch() != nullptr) {
    follower_.emplace(executor, frontend_, *parts_.state.watch(), clock_, parts_.log);
    follower_->start();
  }
  if (parts_.state.leadership() == nullptr) {
    return duty_.start(std::nullopt);
  }
  if (!runs_nodes()) {
    parts_.log.info(
        "this server answers only; those with --agents-listen or --local-agents take turns in "
        "leading");
    return {};
  }
  leader_.emplace(executor, *parts_.state.leadership(), duty_, clock_, parts_.log);
  leader_->start();
  return {};
}

bool ControlPlane::runs_nodes() const {
  return parts_.config.agents_listen || !parts_.config.local_agents.empty();
}

// Agents that find a new region remove the nodes of an old one.
Status ControlPlane::check_nothing_is_left() const {
  const auto refused = [this](const std::string& what) {
    return fail(ErrorCode::kConflict,
                fmt::format("{} is empty, and {} belongs to a region that is elsewhere; name that "
                            "one, move it with `hikae store`, or use other directories",
                            parts_.state.place(), what));
  };
  std::error_code error;
  for (const std::string& file :
       {parts_.data_directory + "/state.db", moved_mark_path(parts_.data_directory)}) {
    if (std::filesystem::exists(file, error)) {
      return refused(file);
    }
  }
  if (parts_.config.local_agents.empty()) {
    return {};
  }
  const std::string nodes = parts_.config.local_agents + "/nodes";
  for (const auto& host : std::filesystem::directory_iterator(nodes, error)) {
    if (!std::filesystem::is_empty(host.path(), error)) {
      return refused(host.path().string());
    }
  }
  return {};
}

control::Awaitable<Status> ControlPlane::create_region() {
  if (parts_.config.etcd) {
    if (Status checked = check_nothing_is_left(); !checked) {
      co_return checked;
    }
  }
  core::CreateRegion command;
  command.name = parts_.config.region;
  command.account_id = draw_account_id(random_);
  command.domain = parts_.config.domain;
  command.zones = zone_names(parts_.config);
  command.secret_check = secret_check(parts_.region_secret);
  command.one_machine = !parts_.config.agents_listen;
  // Another server may make it at the same moment.
  control::Frontend::Decision decision = [&](const core::State& state,
                                             core::AdmissionContext context) {
    return state.revision() == core::Revision(0) ? core::initial_region(command, context)
                                                 : core::Transition();
  };
  const auto made = co_await frontend_.submit(std::move(decision));
  if (!made) {
    co_return fail(ErrorCode::kInvalid, made.error().message);
  }
  parts_.log.info(fmt::format("made region {} with zones {}", command.name,
                              fmt::join(parts_.config.zones, ", ")));
  co_return Status();
}

// A server that only answers has no say in where the nodes run.
control::Awaitable<Status> ControlPlane::choose_shape() {
  if (!runs_nodes()) {
    co_return Status();
  }
  auto decision = control::decision_on(
      core::ChooseShape{!parts_.config.agents_listen, !parts_.driver.front_module.empty()});
  const auto chosen = co_await frontend_.submit(std::move(decision));
  co_return chosen ? Status() : fail(ErrorCode::kInvalid, chosen.error().message);
}

// What was decided at the first start stays: names and addresses were given out.
Status ControlPlane::check_region() const {
  const core::Region& region = frontend_.state().region();
  const auto mismatch = [&](std::string_view what, const std::string& has,
                            const std::string& asked) {
    return fail(
        ErrorCode::kInvalid,
        fmt::format("{} holds a region whose {} is {}, but {} was asked for; use another "
                    "--data, or leave the option as it was",
                    parts_.config.etcd ? parts_.state.place() : parts_.config.data_directory, what,
                    has, asked));
  };
  if (region.name != parts_.config.region) {
    return mismatch("name", region.name, parts_.config.region);
  }
  if (region.domain != parts_.config.domain) {
    return mismatch("domain", region.domain, parts_.config.domain);
  }
  if (region.zones != zone_names(parts_.config)) {
    std::vector<std::string> zones;
    for (const core::ZoneName& zone : region.zones) {
      zones.push_back(zone.str());
    }
    return mismatch("zones", fmt::format("{}", fmt::join(zones, ",")),
                    fmt::format("{}", fmt::join(parts_.config.zones, ",")));
  }
  if (!region.secret_check.empty() && region.secret_check != secret_check(parts_.region_secret)) {
    return fail(ErrorCode::kInvalid,
                fmt::format("the secret in {} is not that of the region in {}; copy the files "
                            "secret and credentials from the data directory where the region was "
                            "made, or from a backup",
                            parts_.data_directory, parts_.state.place()));
  }
  return {};
}

void ControlPlane::accept_credentials() {
  const std::string& account = frontend_.state().region().account_id;
  api::KnownCredential own;
  own.credential.access_key_id = parts_.credentials.access_key_id;
  own.credential.secret = parts_.credentials.secret_access_key;
  own.account_id = account;
  credentials_.add(std::move(own));
  if (parts_.config.allow_test_credentials) {
    api::KnownCredential test;
    test.credential.access_key_id = kTestKey;
    test.credential.secret = kTestKey;
    test.account_id = account;
    credentials_.add(std::move(test));
  }
}

Result<SocketAddress> ControlPlane::listen() {
  const std::vector<const api::ServiceTable*> tables = {
      &api::elasticache::service_table(), &api::ec2::service_table(), &api::sts::service_table()};
  api::Dispatcher::Options options;
  options.region = parts_.config.region;
  options.quotas.test_failovers_per_day = parts_.config.test_failovers_per_day;
  options.snapshots = parts_.snapshots;
  dispatcher_ = std::make_unique<api::Dispatcher>(
      tables, &frontend_, credentials_, random_, [this] { return clock_.now(); },
      [this](std::string_view line) { parts_.log.error(line); }, options);
  server_ = std::make_unique<http::Server>(
      parts_.context, http::Limits(),
      [this](http::Request request) { return handle(std::move(request)); }, protocol_error);
  auto endpoint = server_->listen(parts_.config.listen.address.str(), parts_.config.listen.port);
  if (!endpoint) {
    return tl::unexpected(endpoint.error());
  }
  const SocketAddress api{parts_.config.listen.address, endpoint->port};
  report_.set_api(api.str());
  if (parts_.state.presence() != nullptr) {
    parts_.state.presence()->start(api.str());
  }
  return api;
}

control::Awaitable<http::Response> ControlPlane::handle(http::Request request) {
  if (request.target == kNamesPath && request.peer_is_loopback) {
    co_return names();
  }
  if (request.target == kMetricsPath && request.peer_is_loopback) {
    http::Response response;
    response.headers.emplace_back("Content-Type", "text/plain; version=0.0.4");
    const AgentsLoad load = co_await duty_.load();
    response.body = render_metrics(load);
    co_return response;
  }
  if (request.target == kHostsPath) {
    co_return co_await host_admin_.handle(std::move(request));
  }
  api::HttpRequest call;
  call.method = std::move(request.method);
  call.target = std::move(request.target);
  call.headers = std::move(request.headers);
  call.body = std::move(request.body);
  call.peer = std::move(request.peer);
  api::HttpResponse answer = co_await dispatcher_->handle(std::move(call));
  http::Response response;
  response.status = answer.status;
  response.headers = std::move(answer.headers);
  response.body = std::move(answer.body);
  co_return response;
}

// `address name` lines, for a private /etc/hosts where no resolver can be reached on port 53.
http::Response ControlPlane::names() const {
  http::Response response;
  response.headers.emplace_back("Content-Type", "text/plain");
  for (const auto& [name, address] : names_.resolved()) {
    response.body += fmt::format("{} {}\n", address.str(), name);
  }
  return response;
}

control::Awaitable<void> ControlPlane::stop() {
  if (server_ != nullptr) {
    co_await server_->stop();
  }
  if (leader_) {
    co_await leader_->stop();
  }
  co_await duty_.end();
  if (parts_.state.presence() != nullptr) {
    co_await parts_.state.presence()->stop();
  }
  if (follower_) {
    co_await follower_->stop();
  }
}

}  // namespace hikae::app
