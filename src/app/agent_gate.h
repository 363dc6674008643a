#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>

#include "adapters/agent_rpc/agent_server.h"
#include "adapters/certificates/certificate_authority.h"
#include "app/config.h"
#include "control/background_task.h"
#include "control/frontend.h"
#include "control/wake_signal.h"
#include "engine/certificate.h"
#include "engine/secrets.h"

namespace hikae::app {

// The region's door for the agents of other hosts: lets them join with a token, gives them
// certificates, knows them again, and carries assignments and reports. Lives on the control thread.
class AgentGate final : public control::AgentLink, private agent_rpc::AgentDesk {
 public:
  struct Parts {
    boost::asio::io_context& context;
    SocketAddress listen;
    Duration certificate_lifetime{};
    engine::SecretSource secrets;  // the passwords of nodes
    engine::CertificateSource certificates;
    const adapters::CertificateAuthority& ca;
    control::ReportLink& reports;
    control::Frontend& frontend;
    control::Clock& clock;
    control::Log& log;
    Duration lease{};  // of the leases that are granted; zero: none
  };
  using LeaseSource = std::function<std::optional<control::LeaseGrant>(const core::HostId&)>;

  explicit AgentGate(Parts parts);

  // Before open(). Who grants leases to agents that ask; nobody else does.
  void grant_leases(LeaseSource source) { leases_ = std::move(source); }
  // Call once, when the frontend has its state.
  Status open();
  // Returns when nothing of it runs any more. Fine without open().
  control::Awaitable<void> stop();

  void assign(core::Assignment assignment) override;
  bool is_connected(const core::HostId& host) const { return server_.is_connected(host); }

 private:
  template <class T>
  using Answer = agent_rpc::Answer<T>;

  control::Awaitable<Answer<codec::agent::Joined>> join(codec::agent::Join request,
                                                        std::string peer) override;
  control::Awaitable<Answer<agent_rpc::Admission>> admit(agent_rpc::PeerIdentity who,
                                                         codec::agent::Hello hello) override;
  control::Awaitable<Answer<std::string>> renew(agent_rpc::PeerIdentity who,
                                                std::string request) override;
  std::optional<control::LeaseGrant> lease(const core::HostId& host) override {
    return leases_ ? leases_(host) : std::nullopt;
  }
  agent_rpc::NodePasswords passwords(const core::NodeAssignment& node) override;

  bool is_known(const agent_rpc::PeerIdentity& who) const;
  Result<agent_rpc::TlsIdentity> server_identity() const;
  control::Awaitable<void> renew_certificates();
  void on_transition(const core::Transition& transition);

  Parts parts_;
  LeaseSource leases_;
  agent_rpc::AgentServer server_;
  std::optional<control::Frontend::ObserverId> observer_;
  bool stopping_ = false;
  control::WakeSignal stop_;
  control::BackgroundTask renewal_;
};

}  // namespace hikae::app
