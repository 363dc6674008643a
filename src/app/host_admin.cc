#include "app/host_admin.h"

#include <fmt/format.h>

#include "app/host_views.h"
#include "codec/agent/join_token.h"
#include "codec/record/record.h"
#include "codec/sign/signature.h"
#include "codec/text/digest.h"
#include "core/admission/host.h"
#include "core/placement/moving.h"
#include "core/reconcile/waiting.h"

namespace hikae::app {
namespace {

using control::Awaitable;

template <class Answer>
http::Response answer(int status, const Answer& what) {
  http::Response response;
  response.status = status;
  response.headers.emplace_back("Content-Type", "application/json");
  response.body = codec::to_json(what) + "\n";
  return response;
}

HostAnswer refusal(std::string why) {
  HostAnswer out;
  out.error = std::move(why);
  return out;
}

}  // namespace

Awaitable<http::Response> HostAdmin::handle(http::Request request) {
  const std::string denied = check_signature(request);
  if (!denied.empty()) {
    co_return answer(403, refusal(denied));
  }
  auto asked = codec::from_json<HostRequest>(request.body);
  if (!asked) {
    co_return answer(400, refusal(asked.error().message));
  }
  if (asked->action == "status") {
    const StatusAnswer status = co_await parts_.report.status();
    co_return answer(200, status);
  }
  if (asked->action == "events") {
    co_return answer(200, parts_.report.events(*asked));
  }
  const HostAnswer done = co_await carry_out(std::move(*asked));
  co_return answer(done.error.empty() ? 200 : 400, done);
}

// Empty: it was signed with a key of the region, for this service.
std::string HostAdmin::check_signature(const http::Request& request) {
  codec::SignatureInput input{.method = request.method,
                              .path = request.target,
                              .query = "",
                              .headers = request.headers,
                              .body = request.body,
                              .now = parts_.clock.now(),
                              .key_cache = &signing_keys_};
  input.lookup = [this](std::string_view id) -> const codec::Credential* {
    const api::KnownCredential* known = parts_.credentials.find(id);
    return known == nullptr ? nullptr : &known->credential;
  };
  const auto verified = codec::verify_signature(input);
  if (!verified) {
    return verified.error().message;
  }
  const bool for_us =
      verified->service == kHostsService && verified->region == parts_.config.region;
  return for_us ? "" : "The request is signed for another service or region.";
}

Awaitable<HostAnswer> HostAdmin::carry_out(HostRequest request) {
  const core::HostId host(request.host);
  if (request.action == "list") {
    co_return list();
  }
  if (request.action == "token") {
    co_return co_await make_token(std::move(request));
  }
  if (request.action == "cordon" || request.action == "uncordon") {
    core::CordonHost command{host, request.action == "cordon"};
    co_return co_await submit(std::move(command));
  }
  if (request.action == "drain" || request.action == "stop-drain" || request.action == "drained") {
    co_return co_await drain(std::move(request));
  }
  if (request.action == "remove") {
    co_return co_await remove(std::move(request));
  }
  co_return refusal(fmt::format("There is no action {}.", request.action));
}

// `drained` changes nothing, and tells how far it is.
Awaitable<HostAnswer> HostAdmin::drain(HostRequest request) {
  const core::HostId host(request.host);
  if (request.action != "drained") {
    core::DrainHost command{host, request.action == "drain",
                            std::chrono::seconds(request.timeout_seconds)};
    HostAnswer done = co_await submit(std::move(command));
    if (!done.error.empty()) {
      co_return done;
    }
  }
  HostAnswer out = list();
  out.moving = core::drain_notes(parts_.frontend.state(), host);
  co_return out;
}

Awaitable<HostAnswer> HostAdmin::remove(HostRequest request) {
  const core::HostId host(request.host);
  const auto connected = parts_.duty.is_connected(host);
  if (request.lost && parts_.config.agents_listen && !connected) {
    co_return refusal(
        "This server does not lead, and does not know whether the host is lost; ask the one that "
        "does.");
  }
  if (request.lost && connected == true) {
    co_return refusal(fmt::format(
        "Host {} is connected, so it is not lost; stop its agent and its engines (hikae "
        "down) first.",
        request.host));
  }
  core::RemoveHost command{host, request.lost};
  co_return co_await submit(std::move(command));
}

template <class Command>
Awaitable<HostAnswer> HostAdmin::submit(Command command) {
  auto decision = control::decision_on(std::move(command));
  const auto done = co_await parts_.frontend.submit(std::move(decision));
  if (!done) {
    co_return refusal(done.error().message);
  }
  co_return list();
}

Awaitable<HostAnswer> HostAdmin::make_token(HostRequest request) {
  if (!parts_.config.agents_listen) {
    co_return refusal(
        "No host can join: serve runs without --agents-listen, and the nodes on this machine "
        "alone.");
  }
  codec::agent::JoinTokenText token;
  token.id = parts_.random.hex(codec::agent::kTokenIdLength);
  token.secret = parts_.random.hex(codec::agent::kTokenSecretLength);
  token.ca_fingerprint = parts_.ca.fingerprint();
  core::CreateJoinToken command;
  command.id = core::JoinTokenId(token.id);
  command.secret_sha256 = codec::sha256_hex(token.secret);
  command.lifetime = std::chrono::seconds(std::min<std::int64_t>(
      std::max<std::int64_t>(request.lifetime_seconds, 0), std::int64_t(1) << 32));
  const Instant expires = parts_.clock.now() + command.lifetime;
  HostAnswer made = co_await submit(std::move(command));
  if (made.error.empty()) {
    parts_.log.info(
        fmt::format("made join token {}, good until {}", token.id, to_iso8601(expires)));
    made.token = token.str();
    made.server = parts_.config.agents_listen->str();
    made.expires_at = to_iso8601(expires);
  }
  co_return made;
}

HostAnswer HostAdmin::list() const {
  HostAnswer out;
  const core::State& state = parts_.frontend.state();
  out.hosts = host_views(state, parts_.duty);
  out.waiting = core::nodes_without_place(state);
  return out;
}

}  // namespace hikae::app
