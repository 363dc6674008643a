#include "app/host_admin.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "codec/agent/join_token.h"
#include "codec/record/record.h"
#include "codec/sign/signature.h"
#include "codec/text/digest.h"
#include "core/admission/host.h"
#include "core/reconcile/waiting.h"

namespace hikae::app {
namespace {

using control::Awaitable;

http::Response answer(int status, const HostAnswer& what) {
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

std::string joined(const std::vector<AddressRange>& ranges) {
  std::vector<std::string> texts;
  for (const AddressRange& range : ranges) {
    texts.push_back(range.str());
  }
  return join(texts, ",");
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
  if (request.action != "remove") {
    co_return refusal(fmt::format("There is no action {}.", request.action));
  }
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
  const core::HostRoom room(state);
  for (const auto& [id, host] : state.all<core::Host>()) {
    out.hosts.push_back(view_of(host, room));
  }
  out.waiting = core::nodes_without_place(state);
  return out;
}

HostView HostAdmin::view_of(const core::Host& host, const core::HostRoom& room) const {
  HostView out;
  out.id = host.id.str();
  out.zone = host.zone.str();
  out.state = "this machine";
  if (!host.is_stand_in()) {
    const auto connected = parts_.duty.is_connected(host.id);
    out.state = !connected ? "known to the leader" : *connected ? "connected" : "disconnected";
  }
  out.state += host.cordoned ? ", cordoned" : "";
  out.nodes = std::uint32_t(room.nodes_on(host.id));
  out.max_nodes = host.max_nodes;
  out.memory_used = room.memory_on(host.id);
  out.memory_bytes = host.memory_bytes;
  out.addresses = joined(host.addresses);
  out.engines = join(host.engines, ", ");
  out.software = host.software;
  return out;
}

}  // namespace hikae::app
