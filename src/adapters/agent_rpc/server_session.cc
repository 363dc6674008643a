#include "adapters/agent_rpc/server_session.h"

#include <limits>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

namespace hikae::agent_rpc {
namespace {

using codec::agent::encode;
using codec::agent::Frame;
using codec::agent::Hello;
using codec::agent::Join;
using codec::agent::Lease;
using codec::agent::MessageType;
using codec::agent::Ping;
using codec::agent::Pong;
using codec::agent::Refusal;
using codec::agent::Renew;
using codec::agent::Renewed;
using codec::agent::Welcome;
using control::Awaitable;

std::uint32_t in_ms(Duration d) {
  return std::uint32_t(std::chrono::duration_cast<std::chrono::milliseconds>(d).count());
}

}  // namespace

ServerSession::ServerSession(boost::asio::any_io_executor executor, Context context,
                             boost::asio::ip::tcp::socket socket, TlsContext tls, std::string peer)
    : context_(context),
      channel_(std::move(socket), std::move(tls)),
      peer_(std::move(peer)),
      begun_(context.clock.monotonic()),
      heard_(begun_),
      out_(executor),
      tick_(executor),
      news_(executor) {}

std::string ServerSession::name() const {
  return admission_ ? fmt::format("host {} ({})", admission_->host.str(), peer_)
                    : fmt::format("an agent at {}", peer_);
}

void ServerSession::close(const std::string& why) {
  if (closed_) {
    return;
  }
  closed_ = true;
  if (!why.empty()) {
    context_.log.warn(fmt::format("{}: {}", name(), why));
  }
  channel_.close();
  out_.raise();
  tick_.raise();
  news_.raise();
}

Awaitable<void> ServerSession::serve() {
  const Status opened = co_await channel_.open(context_.options.greeting);
  if (!opened) {
    close(opened.error().message);
    co_return;
  }
  co_await greet();
  if (greeted_ && !closed_) {
    co_await read();
  }
  close("");
}

Awaitable<void> ServerSession::greet() {
  auto text = co_await channel_.read();
  if (!text) {
    close(text.error().message);
    co_return;
  }
  auto frame = Frame::parse(*text);
  if (!frame) {
    close(frame.error().message);
    co_return;
  }
  if (frame->type() == MessageType::kJoin) {
    co_await greet_new_host(std::move(*frame));
  } else if (frame->type() == MessageType::kHello && channel_.peer()) {
    co_await greet_host(std::move(*frame));
  } else {
    close("it did not introduce itself, or has no certificate");
  }
}

Awaitable<void> ServerSession::greet_new_host(Frame frame) {
  auto request = frame.body<Join>();
  if (!request) {
    close(request.error().message);
    co_return;
  }
  Refusal refusal;
  refusal.code = codec::agent::kRefusedProtocol;
  refusal.message =
      version_conflict(context_.options.protocol, request->protocol,
                       fmt::format("the agent of {}", request->name), request->software);
  if (!refusal.message.empty()) {
    co_await refuse(std::move(refusal));
    co_return;
  }
  auto joined = co_await context_.desk.join(std::move(*request), peer_);
  if (!joined) {
    co_await refuse(std::move(joined.error()));
    co_return;
  }
  joined->protocol = context_.options.protocol;
  std::string text = encode(*joined);
  co_await channel_.write(std::move(text));
  co_await channel_.finish();
}

Awaitable<void> ServerSession::greet_host(Frame frame) {
  auto hello = frame.body<Hello>();
  if (!hello) {
    close(hello.error().message);
    co_return;
  }
  Refusal refusal;
  refusal.code = codec::agent::kRefusedProtocol;
  refusal.message =
      version_conflict(context_.options.protocol, hello->protocol,
                       fmt::format("the agent of host {}", who().name), hello->software);
  bool entered = false;
  if (refusal.message.empty()) {
    entered = co_await context_.host.enter(shared_from_this(), std::move(*hello), refusal);
  }
  if (!entered && !closed_) {
    co_await refuse(std::move(refusal));
  }
  if (!entered || closed_) {
    co_return;
  }
  Welcome welcome;
  welcome.protocol = context_.options.protocol;
  welcome.software = context_.options.software;
  welcome.region = admission_->region;
  welcome.removed = admission_->removed;
  welcome.ping_every_ms = in_ms(context_.options.ping_every);
  welcome.silence_ms = in_ms(context_.options.silence);
  welcome.lease_ms = in_ms(context_.options.lease);
  std::string text = encode(welcome);
  const Status sent = co_await channel_.write(std::move(text));
  channel_.allow_bytes(codec::agent::kMaxMessageBytes);
  greeted_ = sent.has_value();
  out_.raise();
}

Awaitable<void> ServerSession::refuse(Refusal refusal) {
  context_.log.warn(fmt::format("{} was refused: {}", name(), refusal.message));
  refusal.protocol = context_.options.protocol;
  std::string text = encode(refusal);
  co_await channel_.write(std::move(text));
  co_await channel_.finish();
}

void ServerSession::admit(Admission admission, std::string instance) {
  certificate_ends_ = who().not_after;
  instance_ = std::move(instance);
  if (admission.removed) {
    core::Assignment nothing;
    nothing.host = admission.host;
    nothing.revision = admission.revision;
    assignment_ = std::move(nothing);
  }
  admission_ = std::move(admission);
}

Awaitable<void> ServerSession::read() {
  while (!closed_) {
    auto text = co_await channel_.read();
    if (!text) {
      close(closed_ ? "" : text.error().message);
      co_return;
    }
    heard_ = context_.clock.monotonic();
    news_.raise();
    const bool good = co_await take(std::move(*text));
    if (!good) {
      co_return;
    }
  }
}

// False: the agent says what it may not.
Awaitable<bool> ServerSession::take(std::string text) {
  auto frame = Frame::parse(text);
  if (!frame) {
    close(frame.error().message);
    co_return false;
  }
  const auto bad = [this](const Error& error) {
    close(error.message);
    return false;
  };
  switch (frame->type()) {
    case MessageType::kReport: {
      auto message = frame->body<ReportMessage>();
      if (!message) {
        co_return bad(message.error());
      }
      auto report = from_message(std::move(*message), context_.clock.monotonic());
      report.host = admission_->host;  // as its certificate says
      if (!closed_ && !admission_->removed) {
        context_.host.report(std::move(report));
      }
      co_return true;
    }
    case MessageType::kLease: {
      const auto question = frame->body<Lease>();
      if (!question) {
        co_return bad(question.error());
      }
      grant(*question);
      co_return true;
    }
    case MessageType::kPing: {
      const auto ping = frame->body<Ping>();
      if (!ping) {
        co_return bad(ping.error());
      }
      pong_ = Pong{ping->number, ping->sent, context_.clock.now()};
      out_.raise();
      co_return true;
    }
    case MessageType::kRenew: {
      auto request = frame->body<Renew>();
      if (!request) {
        co_return bad(request.error());
      }
      co_await renew(std::move(*request));
      co_return true;
    }
    case MessageType::kPong:
    case MessageType::kUnknown:
      co_return true;
    default:
      close(fmt::format("it sent a {}, which is not its to send", name_of(frame->type())));
      co_return false;
  }
}

// A host that hears nothing may still be heard: it asks on, and each lease that it was granted
// would have to be waited for though it never got there. So there is one answer under way at a
// time.
void ServerSession::grant(const Lease& question) {
  const bool under_way = question.tells_answered && question.answered < granted_;
  if (closed_ || admission_->removed || under_way) {
    return;
  }
  if (auto granted = context_.desk.lease(admission_->host)) {
    leased_ = std::move(*granted);
    leased_->asked = granted_ = question.asked;
    out_.raise();
  }
}

Awaitable<void> ServerSession::renew(Renew request) {
  if (admission_->removed) {
    co_return;
  }
  auto certificate = co_await context_.desk.renew(who(), std::move(request.certificate_request));
  if (!certificate) {
    context_.log.warn(fmt::format("{}: its certificate was not renewed: {}", name(),
                                  certificate.error().message));
    co_return;
  }
  context_.log.info(fmt::format("{}: renewed its certificate", name()));
  // The old one has done its part: this connection belongs to whoever proved to be the host.
  certificate_ends_ = Instant(std::numeric_limits<std::int64_t>::max());
  renewed_ = Renewed{std::move(*certificate)};
  out_.raise();
}

void ServerSession::assign(core::Assignment assignment) {
  assignment_ = std::move(assignment);
  out_.raise();
}

std::string ServerSession::next_text() {
  if (!greeted_) {
    return "";
  }
  if (leased_) {
    return encode(to_message(*std::exchange(leased_, std::nullopt)));
  }
  if (pong_) {
    return encode(*std::exchange(pong_, std::nullopt));
  }
  if (ping_) {
    return encode(*std::exchange(ping_, std::nullopt));
  }
  if (assignment_) {
    const core::Assignment newest = *std::exchange(assignment_, std::nullopt);
    return encode(to_message(newest, [this](const core::NodeAssignment& node) {
      return context_.desk.passwords(node);
    }));
  }
  if (renewed_) {
    return encode(*std::exchange(renewed_, std::nullopt));
  }
  return "";
}

Awaitable<void> ServerSession::write() {
  while (!closed_) {
    std::string text = next_text();
    if (text.empty()) {
      co_await out_.wait();
      continue;
    }
    writing_since_ = context_.clock.monotonic();
    const Status written = co_await channel_.write(std::move(text));
    writing_since_.reset();
    if (!written) {
      close(closed_ ? "" : written.error().message);
    }
  }
}

std::string ServerSession::why_end(Monotonic now) const {
  const Duration silence = context_.options.silence;
  if (!greeted_) {
    return now - begun_ > context_.options.greeting * 2 ? "it did not introduce itself in time"
                                                        : "";
  }
  if (now - heard_ > silence) {
    return "nothing was heard of it";
  }
  if (writing_since_ && now - *writing_since_ > silence) {
    return "it takes no messages";
  }
  if (context_.clock.now() > certificate_ends_) {
    return "its certificate has expired";
  }
  return "";
}

Awaitable<void> ServerSession::watch() {
  using namespace boost::asio::experimental::awaitable_operators;
  while (!closed_) {
    auto time = context_.clock.sleep_for(context_.options.ping_every);
    auto woken = tick_.wait();
    co_await (std::move(time) || std::move(woken));
    if (const std::string why = why_end(context_.clock.monotonic()); !closed_ && !why.empty()) {
      close(why);
    }
  }
}

Awaitable<bool> ServerSession::answers(Duration within) {
  using namespace boost::asio::experimental::awaitable_operators;
  const Monotonic asked = context_.clock.monotonic();
  const Monotonic deadline = asked + within;
  ping_ = Ping{++pings_, asked};
  out_.raise();
  while (!closed_ && heard_ <= asked && context_.clock.monotonic() < deadline) {
    auto time = context_.clock.sleep_until(deadline);
    auto heard = news_.wait();
    co_await (std::move(time) || std::move(heard));
  }
  co_return !closed_ && heard_ > asked;
}

}  // namespace hikae::agent_rpc
