#include "app/agent_gate.h"

#include <algorithm>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

#include "app/version.h"
#include "base/check.h"
#include "codec/text/digest.h"
#include "core/admission/host.h"

namespace hikae::app {
namespace {

using codec::agent::Hello;
using codec::agent::Join;
using codec::agent::Joined;
using codec::agent::Refusal;
using control::Awaitable;

constexpr Duration kRetry = std::chrono::minutes(1);
constexpr Duration kLongestPause = std::chrono::hours(24);

tl::unexpected<Refusal> refuse(const char* code, std::string message) {
  Refusal refusal;
  refusal.code = code;
  refusal.message = std::move(message);
  return tl::unexpected<Refusal>(std::move(refusal));
}

tl::unexpected<Refusal> refuse(const core::Fault& fault) {
  if (fault.code == "InvalidJoinToken") {
    return refuse(codec::agent::kRefusedToken, fault.message);
  }
  const bool ours = fault.code == "InternalFailure" || fault.code == "ServiceUnavailable";
  return refuse(ours ? codec::agent::kRefusedBusy : codec::agent::kRefusedHost, fault.message);
}

core::HostFacts facts_of(codec::agent::HostFacts facts, std::string software) {
  core::HostFacts out;
  out.zone = std::move(facts.zone);
  out.max_nodes = facts.max_nodes;
  out.memory_bytes = facts.memory_bytes;
  out.addresses = std::move(facts.addresses);
  out.engines = std::move(facts.engines);
  out.shared_addresses = facts.shared_addresses;
  out.fences = facts.fences;
  out.keeps = facts.keeps;
  out.fronts = facts.fronts;
  out.software = std::move(software);
  return out;
}

agent_rpc::AgentServer::Options server_options(Duration lease) {
  agent_rpc::AgentServer::Options options;
  options.lease = lease;
  options.software = version();
  return options;
}

}  // namespace

AgentGate::AgentGate(Parts parts)
    : parts_(std::move(parts)),
      server_(parts_.context, server_options(parts_.lease), *this, parts_.reports, parts_.clock,
              parts_.log),
      stop_(parts_.context.get_executor()),
      renewal_(parts_.context.get_executor()) {}

Status AgentGate::open() {
  const auto identity = server_identity();
  if (!identity) {
    return tl::unexpected(identity.error());
  }
  const auto port = server_.listen(parts_.listen.address, parts_.listen.port, *identity);
  if (!port) {
    return tl::unexpected(port.error());
  }
  observer_ =
      parts_.frontend.observe([this](const core::State&, const core::Transition& transition) {
        on_transition(transition);
      });
  renewal_.start(renew_certificates(),
                 [](std::exception_ptr thrown) { HIKAE_CHECK(thrown == nullptr); });
  return {};
}

Awaitable<void> AgentGate::stop() {
  stopping_ = true;
  stop_.raise();
  if (observer_) {
    parts_.frontend.forget(*observer_);
  }
  co_await server_.stop();
  co_await renewal_.over();
}

void AgentGate::assign(core::Assignment assignment) {
  server_.assign(std::move(assignment));
}

// A host that was removed is to learn that now, and not with its next connection.
void AgentGate::on_transition(const core::Transition& transition) {
  for (const core::Change& change : transition.changes) {
    if (const auto* removed = std::get_if<core::Remove<core::Host>>(&change)) {
      server_.dismiss(removed->key);
    }
  }
}

Result<agent_rpc::TlsIdentity> AgentGate::server_identity() const {
  auto made = parts_.ca.make_server(parts_.clock.now(), parts_.certificate_lifetime);
  if (!made) {
    return tl::unexpected(made.error());
  }
  return agent_rpc::TlsIdentity{std::move(made->key), std::move(made->chain),
                                parts_.ca.certificate()};
}

// Ours long before it ends, and again soon where that failed. Those of nodes travel with their
// assignments, which may not change for longer than a certificate lives.
Awaitable<void> AgentGate::renew_certificates() {
  using namespace boost::asio::experimental::awaitable_operators;
  // Nodes get others after two thirds of the life, so the last third is looked at more than once.
  const Duration calm = std::min(parts_.certificate_lifetime / 8, kLongestPause);
  Duration pause = calm;
  while (!stopping_) {
    auto time = parts_.clock.sleep_for(pause);
    auto end = stop_.wait();
    co_await (std::move(time) || std::move(end));
    if (stopping_) {
      co_return;
    }
    const auto identity = server_identity();
    const Status renewed =
        identity ? server_.renew_identity(*identity) : Status(tl::unexpected(identity.error()));
    if (!renewed) {
      parts_.log.error(fmt::format("the certificate that agents are shown was not renewed: {}",
                                   renewed.error().message));
    }
    server_.assign_again();
    pause = renewed ? calm : kRetry;
  }
}

Awaitable<agent_rpc::Answer<Joined>> AgentGate::join(Join request, std::string peer) {
  const auto identity = parts_.ca.identity_of_request(request.certificate_request);
  if (!identity) {
    co_return refuse(codec::agent::kRefusedHost, identity.error().message);
  }
  core::JoinHost command;
  command.token = core::JoinTokenId(request.token_id);
  command.secret_sha256 = codec::sha256_hex(request.token_secret);
  command.name = request.name;
  command.identity = *identity;
  command.facts = facts_of(std::move(request.facts), request.software);
  auto decision = control::decision_on(command);
  const auto admitted = co_await parts_.frontend.submit(std::move(decision));
  if (!admitted) {
    co_return refuse(admitted.error());
  }
  auto certificate = parts_.ca.sign_agent(request.certificate_request, command.name,
                                          parts_.clock.now(), parts_.certificate_lifetime);
  if (!certificate) {
    co_return refuse(codec::agent::kRefusedBusy, certificate.error().message);
  }
  parts_.log.info(fmt::format("host {} joined the region from {} in zone {} (token {})",
                              command.name, peer, command.facts.zone, request.token_id));
  Joined joined;
  joined.certificate = std::move(*certificate);
  joined.ca_certificate = parts_.ca.certificate();
  co_return joined;
}

bool AgentGate::is_known(const agent_rpc::PeerIdentity& who) const {
  const auto* host = parts_.frontend.state().find<core::Host>(core::HostId(who.name));
  return host != nullptr && host->identity == who.identity;
}

Awaitable<agent_rpc::Answer<agent_rpc::Admission>> AgentGate::admit(agent_rpc::PeerIdentity who,
                                                                    Hello hello) {
  agent_rpc::Admission admission;
  admission.host = core::HostId(who.name);
  admission.region = parts_.frontend.state().region().name;
  if (!is_known(who)) {
    // To be told to end its nodes it must be unknown to the store, not only to what we have of it.
    const Status fresh = co_await parts_.frontend.refresh();
    if (!fresh) {
      co_return refuse(codec::agent::kRefusedBusy, fresh.error().message);
    }
  }
  if (is_known(who)) {
    core::RefreshHost command{admission.host, facts_of(std::move(hello.facts), hello.software)};
    auto decision = control::decision_on(std::move(command));
    const auto refreshed = co_await parts_.frontend.submit(std::move(decision));
    if (!refreshed && refreshed.error().code != "HostNotFound") {
      co_return refuse(refreshed.error());
    }
  }
  admission.removed = !is_known(who);
  admission.revision = parts_.frontend.state().revision();
  co_return admission;
}

Awaitable<agent_rpc::Answer<std::string>> AgentGate::renew(agent_rpc::PeerIdentity who,
                                                           std::string request) {
  const auto identity = parts_.ca.identity_of_request(request);
  if (!identity || *identity != who.identity || !is_known(who)) {
    co_return refuse(codec::agent::kRefusedHost,
                     "the request is not made with the key of this host");
  }
  auto certificate =
      parts_.ca.sign_agent(request, who.name, parts_.clock.now(), parts_.certificate_lifetime);
  if (!certificate) {
    co_return refuse(codec::agent::kRefusedBusy, certificate.error().message);
  }
  co_return std::move(*certificate);
}

agent_rpc::NodePasswords AgentGate::passwords(const core::NodeAssignment& node) {
  auto secrets = parts_.secrets(node.node, node.group);
  agent_rpc::NodePasswords out{std::move(secrets.admin), std::move(secrets.replication), ""};
  if (!node.certificate_name.empty()) {
    auto certificate = parts_.certificates(node);
    if (certificate) {
      out.certificate = std::move(*certificate);
    } else {
      parts_.log.error(fmt::format("node {}: {}", node.node.str(), certificate.error().message));
    }
  }
  return out;
}

}  // namespace hikae::app
