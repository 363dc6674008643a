#include "adapters/agent_rpc/agent_server.h"

#include <algorithm>
#include <exception>
#include <list>
#include <map>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "adapters/agent_rpc/server_session.h"
#include "base/check.h"
#include "net/acceptor.h"

namespace hikae::agent_rpc {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using codec::agent::Hello;
using codec::agent::Refusal;
using control::Awaitable;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
// After a failed accept (no descriptors left) trying again at once would only burn the processor.
constexpr Duration kAcceptPause = std::chrono::milliseconds(100);
// Two agents that contend for a host are judged so often; then the newcomer has to try again.
constexpr int kContests = 3;

}  // namespace

class AgentServer::Impl final : public ServerSession::Host {
 public:
  using Session = std::shared_ptr<ServerSession>;

  Impl(asio::io_context& context, Options options, AgentDesk& desk, control::ReportLink& reports,
       control::Clock& clock, control::Log& log)
      : context_(context),
        options_(std::move(options)),
        desk_(desk),
        reports_(reports),
        clock_(clock),
        log_(log),
        acceptor_(context),
        finished_(context.get_executor()) {}
  ~Impl() { HIKAE_CHECK(coroutines_ == 0); }

  Result<std::uint16_t> listen(Ipv4 address, std::uint16_t port, const TlsIdentity& identity);
  Status renew_identity(const TlsIdentity& identity);
  Awaitable<void> stop();
  void assign(core::Assignment assignment);
  void assign_again();
  void dismiss(const core::HostId& host);
  bool is_connected(const core::HostId& host) const { return by_host_.contains(host); }

  Awaitable<bool> enter(Session session, Hello hello, Refusal& refusal) override;
  void report(core::HostReport report) override { reports_.report(std::move(report)); }

 private:
  // `session` lives as long as the coroutine; the accept loop has none.
  void begin(Awaitable<void> coroutine, Session session = nullptr);
  Awaitable<void> accept_loop();
  void start_session(tcp::socket socket);
  Awaitable<void> run(Session session);
  void forget(const Session& session);
  Awaitable<bool> contest(core::HostId host, std::string instance);

  asio::io_context& context_;
  const Options options_;
  AgentDesk& desk_;
  control::ReportLink& reports_;
  control::Clock& clock_;
  control::Log& log_;
  tcp::acceptor acceptor_;
  TlsContext tls_;
  std::list<Session> sessions_;
  std::map<core::HostId, Session> by_host_;
  std::map<core::HostId, core::Assignment> newest_;
  int coroutines_ = 0;
  bool stopping_ = false;
  control::WakeSignal finished_;
};

Result<std::uint16_t> AgentServer::Impl::listen(Ipv4 address, std::uint16_t port,
                                                const TlsIdentity& identity) {
  if (Status renewed = renew_identity(identity); !renewed) {
    return tl::unexpected(renewed.error());
  }
  const tcp::endpoint at(asio::ip::address_v4(address.bits()), port);
  const auto local =
      net::listen(acceptor_, at, {"listen for agents", "choose another with --agents-listen"});
  if (!local) {
    return tl::unexpected(local.error());
  }
  begin(accept_loop());
  return local->port();
}

Status AgentServer::Impl::renew_identity(const TlsIdentity& identity) {
  auto tls = server_tls(identity);
  if (!tls) {
    return tl::unexpected(tls.error());
  }
  tls_ = std::move(*tls);
  return {};
}

void AgentServer::Impl::begin(Awaitable<void> coroutine, Session session) {
  ++coroutines_;
  auto ended = [this, session = std::move(session)](std::exception_ptr thrown) {
    HIKAE_CHECK(thrown == nullptr);
    --coroutines_;
    finished_.raise();
  };
  asio::co_spawn(context_, std::move(coroutine), std::move(ended));
}

Awaitable<void> AgentServer::Impl::accept_loop() {
  asio::steady_timer pause(context_);
  while (!stopping_) {
    auto [error, socket] = co_await acceptor_.async_accept(kAwait);
    if (stopping_ || error == asio::error::operation_aborted) {
      co_return;
    }
    if (error) {
      pause.expires_after(kAcceptPause);
      co_await pause.async_wait(kAwait);
      continue;
    }
    start_session(std::move(socket));
  }
}

void AgentServer::Impl::start_session(tcp::socket socket) {
  const auto strangers =
      std::size_t(std::count_if(sessions_.begin(), sessions_.end(),
                                [](const Session& session) { return session->is_stranger(); }));
  error_code error;
  const tcp::endpoint peer = socket.remote_endpoint(error);
  if (error || strangers >= options_.strangers || sessions_.size() >= options_.connections) {
    return;  // it tries again; an answer would need the handshake that is too much now
  }
  const ServerSession::Context context{options_, desk_, *this, clock_, log_};
  auto session = std::make_shared<ServerSession>(
      context_.get_executor(), context, std::move(socket), tls_,
      fmt::format("{}:{}", peer.address().to_string(), peer.port()));
  sessions_.push_back(session);
  begin(run(session), session);
  begin(session->write(), session);
  begin(session->watch(), session);
}

Awaitable<void> AgentServer::Impl::run(Session session) {
  co_await session->serve();
  forget(session);
}

void AgentServer::Impl::forget(const Session& session) {
  sessions_.remove(session);
  const auto& admission = session->admission();
  if (!admission) {
    return;
  }
  const auto it = by_host_.find(admission->host);
  if (it != by_host_.end() && it->second == session) {
    by_host_.erase(it);
    if (!stopping_) {
      log_.warn(fmt::format("host {} is disconnected; its engines go on", admission->host.str()));
    }
  }
}

// True when the newcomer may serve the host: nobody does, or only an earlier connection of the same
// agent, or one that does not answer any more.
Awaitable<bool> AgentServer::Impl::contest(core::HostId host, std::string instance) {
  for (int i = 0; i < kContests; ++i) {
    const auto it = by_host_.find(host);
    if (it == by_host_.end()) {
      co_return true;
    }
    const Session holder = it->second;
    if (holder->instance() == instance) {
      holder->close("");
    } else {
      const bool alive = co_await holder->answers(options_.probe);
      if (alive) {
        co_return false;
      }
      holder->close("it does not answer, and another agent came for the host");
    }
    const auto now = by_host_.find(host);
    if (now != by_host_.end() && now->second == holder) {
      by_host_.erase(now);
    }
  }
  co_return !by_host_.contains(host);
}

Awaitable<bool> AgentServer::Impl::enter(Session session, Hello hello, Refusal& refusal) {
  const core::HostId host(session->who().name);
  const std::string instance = hello.instance;
  const std::string software = hello.software;
  auto admission = co_await desk_.admit(session->who(), std::move(hello));
  if (!admission) {
    refusal = std::move(admission.error());
    co_return false;
  }
  if (!admission->removed) {
    const bool free = co_await contest(host, instance);
    if (!free) {
      refusal.code = codec::agent::kRefusedDuplicate;
      refusal.message = fmt::format(
          "host {} is served by another agent already; two agents must not have the same identity: "
          "stop one of them, and let it join with a token of its own",
          host.str());
      co_return false;
    }
  }
  if (session->is_closed() || stopping_) {
    co_return false;
  }
  const bool removed = admission->removed;
  session->admit(std::move(*admission), instance);
  if (removed) {
    log_.warn(fmt::format("host {} ({}) is not of this region any more; its nodes are to end",
                          host.str(), session->peer()));
    co_return true;
  }
  by_host_[host] = session;
  log_.info(fmt::format("host {} is connected from {} (hikae {})", host.str(), session->peer(),
                        software));
  if (const auto it = newest_.find(host); it != newest_.end()) {
    session->assign(it->second);
  }
  co_return true;
}

void AgentServer::Impl::assign(core::Assignment assignment) {
  const core::HostId host = assignment.host;
  if (const auto it = by_host_.find(host); it != by_host_.end()) {
    it->second->assign(assignment);
  }
  newest_.insert_or_assign(host, std::move(assignment));
}

void AgentServer::Impl::assign_again() {
  for (const auto& [host, session] : by_host_) {
    if (const auto it = newest_.find(host); it != newest_.end()) {
      session->assign(it->second);
    }
  }
}

void AgentServer::Impl::dismiss(const core::HostId& host) {
  newest_.erase(host);
  if (const auto it = by_host_.find(host); it != by_host_.end()) {
    it->second->close("it was removed, and is to introduce itself again");
  }
}

Awaitable<void> AgentServer::Impl::stop() {
  stopping_ = true;
  error_code ignored;
  acceptor_.close(ignored);
  const auto sessions = sessions_;  // one that ends removes itself
  for (const Session& session : sessions) {
    session->close("");
  }
  while (coroutines_ > 0) {
    co_await finished_.wait();
  }
  newest_.clear();
}

AgentServer::AgentServer(asio::io_context& context, Options options, AgentDesk& desk,
                         control::ReportLink& reports, control::Clock& clock, control::Log& log)
    : impl_(std::make_shared<Impl>(context, std::move(options), desk, reports, clock, log)) {}

AgentServer::~AgentServer() = default;

Result<std::uint16_t> AgentServer::listen(Ipv4 address, std::uint16_t port,
                                          const TlsIdentity& identity) {
  return impl_->listen(address, port, identity);
}
Status AgentServer::renew_identity(const TlsIdentity& identity) {
  return impl_->renew_identity(identity);
}
Awaitable<void> AgentServer::stop() {
  return impl_->stop();
}
void AgentServer::assign(core::Assignment assignment) {
  impl_->assign(std::move(assignment));
}
void AgentServer::assign_again() {
  impl_->assign_again();
}
void AgentServer::dismiss(const core::HostId& host) {
  impl_->dismiss(host);
}
bool AgentServer::is_connected(const core::HostId& host) const {
  return impl_->is_connected(host);
}

}  // namespace hikae::agent_rpc
