#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>

#include "adapters/agent_rpc/channel.h"
#include "adapters/agent_rpc/messages.h"
#include "codec/agent/messages.h"
#include "control/ports.h"

namespace hikae::agent_rpc {

template <class T>
using Answer = tl::expected<T, codec::agent::Refusal>;

// A host that said hello, and may go on.
struct Admission {
  core::HostId host;
  std::string region;
  // It is none of the region's any more, and gets an empty assignment at this revision.
  bool removed = false;
  core::Revision revision;
};

// What a server of agents asks of the region. Called on the server's thread.
class AgentDesk {
 public:
  // A host without a certificate.
  virtual control::Awaitable<Answer<codec::agent::Joined>> join(codec::agent::Join request,
                                                                std::string peer) = 0;
  // `who` was proved by a certificate of the region.
  virtual control::Awaitable<Answer<Admission>> admit(PeerIdentity who,
                                                      codec::agent::Hello hello) = 0;
  // A certificate (PEM) for a host that was admitted and not removed.
  virtual control::Awaitable<Answer<std::string>> renew(PeerIdentity who, std::string request) = 0;
  // A lease for a host that was admitted and not removed; nullopt: none is granted now.
  virtual std::optional<control::LeaseGrant> lease(const core::HostId& host) = 0;
  virtual NodePasswords passwords(const core::NodeAssignment& node) = 0;

 protected:
  ~AgentDesk() = default;
};

// The control plane's end of its agents on other hosts. Of every host the newest assignment is kept
// and delivered, also to an agent that connects later; one that was not delivered yet is replaced.
// Each host is served over one connection: a second agent with the same identity is refused as long
// as the first one answers.
//
// All its work runs on the one thread of the io_context, where all members must be called. Await
// stop() before destroying what it was given.
class AgentServer final : public control::AgentLink {
 public:
  struct Options {
    std::string software;  // our version, for agents to tell
    std::size_t connections = 2000;
    std::size_t strangers = 64;  // of them, who have not said yet who they are
    Duration greeting = std::chrono::seconds(10);
    Duration ping_every = std::chrono::seconds(1);
    Duration silence = std::chrono::seconds(6);
    Duration lease{};  // of the leases that the desk grants; zero: none
    Duration probe = std::chrono::milliseconds(1500);  // of a connection that another one would end
    codec::agent::ProtocolVersion protocol = codec::agent::kProtocol;
  };

  AgentServer(boost::asio::io_context& context, Options options, AgentDesk& desk,
              control::ReportLink& reports, control::Clock& clock, control::Log& log);
  ~AgentServer();  // stop() must have returned, or listen() was never called
  AgentServer(const AgentServer&) = delete;
  AgentServer& operator=(const AgentServer&) = delete;

  // Port 0 chooses one, which is answered. kConflict, kDenied, kUnavailable: the address.
  Result<std::uint16_t> listen(Ipv4 address, std::uint16_t port, const TlsIdentity& identity);
  // For connections that begin from now on.
  Status renew_identity(const TlsIdentity& identity);
  control::Awaitable<void> stop();

  void assign(core::Assignment assignment) override;
  // Delivers the newest assignments once more, with what the desk says of their nodes by now.
  void assign_again();
  // Ends the host's connection: it is to introduce itself again.
  void dismiss(const core::HostId& host);
  bool is_connected(const core::HostId& host) const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace hikae::agent_rpc
