#include "app/control_plane.h"

#include <fmt/format.h>

#include "api/generated/tables.h"
#include "app/agent_metrics.h"
#include "app/name_keeper.h"
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

// Twelve digits, as AWS's account ids; the first is not 0, because tools take ids for numbers.
std::string draw_account_id(Random& random) {
  const std::string first = random.text(1, "123456789");
  return first + random.text(11, "0123456789");
}

}  // namespace

ControlPlane::ControlPlane(Parts parts)
    : parts_(std::move(parts)),
      frontend_(parts_.context.get_executor(), parts_.store, clock_, random_, parts_.log),
      names_(parts_.zone),
      reconciler_(parts_.context.get_executor(), frontend_, parts_.agents, clock_, parts_.log),
      recorder_(parts_.context.get_executor(), frontend_, reconciler_, clock_, parts_.log,
                parts_.reports) {}

control::Awaitable<Status> ControlPlane::open() {
  auto opened = co_await frontend_.open();
  if (opened && frontend_.state().revision() == core::Revision(0)) {
    opened = co_await create_region();
  }
  if (opened) {
    opened = check_region();
  }
  if (!opened) {
    co_return opened;
  }
  accept_credentials();
  names_.publish_all(frontend_.state());
  frontend_.observe([this](const core::State& after, const core::Transition& transition) {
    names_.on_transition(after, transition);
  });
  parts_.agents.connect_control(parts_.context.get_executor(), [this](core::HostReport report) {
    reconciler_.on_report(std::move(report));
  });
  reconciler_.start();
  co_return Status();
}

control::Awaitable<Status> ControlPlane::create_region() {
  core::CreateRegion command;
  command.name = parts_.config.region;
  command.account_id = draw_account_id(random_);
  command.domain = parts_.config.domain;
  command.zones = zone_names(parts_.config);
  control::Frontend::Decision decision = [&](const core::State&, core::AdmissionContext context) {
    return core::initial_region(command, context);
  };
  const auto made = co_await frontend_.submit(std::move(decision));
  if (!made) {
    co_return fail(ErrorCode::kInvalid, made.error().message);
  }
  parts_.log.info(fmt::format("made region {} with zones {}", command.name,
                              fmt::join(parts_.config.zones, ", ")));
  co_return Status();
}

// What was decided at the first start stays: names and addresses were given out.
Status ControlPlane::check_region() const {
  const core::Region& region = frontend_.state().region();
  const auto mismatch = [&](std::string_view what, const std::string& has,
                            const std::string& asked) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{} holds a region whose {} is {}, but {} was asked for; use another "
                            "--data, or leave the option as it was",
                            parts_.config.data_directory, what, has, asked));
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
  return SocketAddress{parts_.config.listen.address, endpoint->port};
}

control::Awaitable<http::Response> ControlPlane::handle(http::Request request) {
  if (request.target == kNamesPath && request.peer_is_loopback) {
    co_return names();
  }
  if (request.target == kMetricsPath && request.peer_is_loopback && parts_.metrics) {
    http::Response response;
    response.headers.emplace_back("Content-Type", "text/plain; version=0.0.4");
    response.body = co_await parts_.metrics();
    co_return response;
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
  co_await reconciler_.stop();
  co_await recorder_.stop();
  parts_.agents.disconnect_control();
}

}  // namespace hikae::app
