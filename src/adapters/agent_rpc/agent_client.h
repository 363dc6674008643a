#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "adapters/agent_rpc/channel.h"
#include "adapters/agent_rpc/messages.h"
#include "base/random.h"
#include "codec/agent/messages.h"
#include "control/ports.h"

namespace hikae::agent_rpc {

// Asks one server for a certificate; `tls` from joining_tls(). An error of kDenied is the server's
// refusal, whose message is for the operator; any other may pass by itself.
control::Awaitable<Result<codec::agent::Joined>> ask_to_join(net::Peer server, TlsContext tls,
                                                             codec::agent::Join request,
                                                             Duration timeout);

// An agent's end of the region: keeps a connection to one of the servers, whichever takes it, and
// connects anew, to any of them, for as long as it lives. Of reports the newest is kept until it is
// delivered, and delivered again after every new connection.
//
// One thread: the executor's. Await stop() before destroying what it was given.
class AgentClient final : public control::ReportLink, public control::LeaseLink {
 public:
  struct Options {
    std::vector<net::Peer> servers;  // at least one
    std::string host;                // our own, for lines in the log
    codec::agent::Hello hello;       // what we say of ourselves, with the protocol that we speak
    Duration connect = std::chrono::seconds(5);
    // Between the servers of a round, and after the first round of all of them; then it doubles.
    Duration first_pause = std::chrono::milliseconds(100);
    // Less than the patience of a new leader, which takes who is not back by then for silent.
    Duration longest_pause = std::chrono::seconds(3);
  };
  struct Events {
    std::function<void(ReceivedAssignment)> assigned;
    // The host is none of the region's any more; an empty assignment follows.
    std::function<void(std::string region)> removed;
    // A request for a new certificate (PEM), made when the old one is to be renewed.
    std::function<Result<std::string>()> certificate_request;
    std::function<void(const control::LeaseGrant&)> leased;
    // The new certificate. Who keeps it calls use() with it.
    std::function<void(std::string)> renewed;
  };

  AgentClient(boost::asio::any_io_executor executor, Options options, Events events,
              control::Clock& clock, Random& random, control::Log& log);
  ~AgentClient();  // stop() must have returned, or start() was never called
  AgentClient(const AgentClient&) = delete;
  AgentClient& operator=(const AgentClient&) = delete;

  // The certificate for connections from now on, when to ask for the next one, and when it ends.
  void use(TlsContext tls, Instant renew_at, Instant not_after);
  void start();
  control::Awaitable<void> stop();

  void report(core::HostReport report) override;
  // A question that no server hears is not asked later: its lease would begin in the past.
  void ask_lease(Monotonic asked) override;
  Duration lease_length() const override;
  bool is_connected() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hikae::agent_rpc
