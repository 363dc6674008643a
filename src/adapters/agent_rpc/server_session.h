#pragma once

#include <memory>
#include <optional>
#include <string>

#include "adapters/agent_rpc/agent_server.h"
#include "control/wake_signal.h"

namespace hikae::agent_rpc {

// One agent's connection, from its first byte on. Its owner runs three coroutines of it until each
// has ended: serve(), write() and watch(); close() ends them all.
class ServerSession : public std::enable_shared_from_this<ServerSession> {
 public:
  // What a session needs of its server.
  class Host {
   public:
    // The agent has said who it is. False: the session is to refuse it with `refusal`.
    virtual control::Awaitable<bool> enter(std::shared_ptr<ServerSession> session,
                                           codec::agent::Hello hello,
                                           codec::agent::Refusal& refusal) = 0;
    virtual void report(core::HostReport report) = 0;

   protected:
    ~Host() = default;
  };
  struct Context {
    const AgentServer::Options& options;
    AgentDesk& desk;
    Host& host;
    control::Clock& clock;
    control::Log& log;
  };

  ServerSession(boost::asio::any_io_executor executor, Context context,
                boost::asio::ip::tcp::socket socket, TlsContext tls, std::string peer);

  control::Awaitable<void> serve();
  control::Awaitable<void> write();
  control::Awaitable<void> watch();

  // Says why, if that is worth a line.
  void close(const std::string& why);
  bool is_closed() const { return closed_; }
  bool is_stranger() const { return !admission_; }

  // The newest one, to be sent when it can.
  void assign(core::Assignment assignment);
  // True when the agent has answered within the time.
  control::Awaitable<bool> answers(Duration within);

  void admit(Admission admission, std::string instance);
  const std::string& instance() const { return instance_; }
  const PeerIdentity& who() const { return *channel_.peer(); }
  const std::optional<Admission>& admission() const { return admission_; }
  const std::string& peer() const { return peer_; }

 private:
  using Refusal = codec::agent::Refusal;

  control::Awaitable<void> greet();
  control::Awaitable<void> greet_new_host(codec::agent::Frame frame);
  control::Awaitable<void> greet_host(codec::agent::Frame frame);
  control::Awaitable<void> refuse(Refusal refusal);
  control::Awaitable<void> read();
  control::Awaitable<bool> take(std::string text);
  void grant(const codec::agent::Lease& question);
  control::Awaitable<void> renew(codec::agent::Renew request);
  std::string next_text();
  std::string why_end(Monotonic now) const;
  std::string name() const;

  Context context_;
  Channel channel_;
  std::string peer_;
  std::string instance_;
  std::optional<Admission> admission_;
  Instant certificate_ends_;
  Monotonic begun_;
  Monotonic heard_;
  std::optional<Monotonic> writing_since_;
  // What waits to be sent; each at most once.
  std::optional<core::Assignment> assignment_;
  std::optional<codec::agent::Ping> ping_;
  std::optional<codec::agent::Pong> pong_;
  std::optional<codec::agent::Renewed> renewed_;
  std::optional<control::LeaseGrant> leased_;
  Monotonic granted_;  // the newest question that was answered; the agent's clock
  std::uint64_t pings_ = 0;
  control::WakeSignal out_;   // something waits to be sent
  control::WakeSignal tick_;  // watch() is to look now
  control::WakeSignal news_;  // something was heard
  bool greeted_ = false;
  bool closed_ = false;
};

}  // namespace hikae::agent_rpc
