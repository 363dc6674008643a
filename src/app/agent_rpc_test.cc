// Both ends of the agents' protocol with each other, over real TLS on loopback.
#include <functional>
#include <map>
#include <memory>
#include <set>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "adapters/agent_rpc/agent_client.h"
#include "adapters/agent_rpc/agent_server.h"
#include "adapters/certificates/certificate_authority.h"
#include "adapters/system/real_clock.h"

namespace hikae::agent_rpc {
namespace {

using adapters::CertificateAuthority;
using codec::agent::Frame;
using codec::agent::Hello;
using codec::agent::Join;
using codec::agent::Joined;
using codec::agent::Ping;
using codec::agent::ProtocolVersion;
using codec::agent::Refusal;
using codec::agent::Welcome;
using control::Awaitable;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Lines final : control::Log {
  void info(std::string_view line) override { all.emplace_back(line); }
  void warn(std::string_view line) override { all.emplace_back(line); }
  void error(std::string_view line) override { all.emplace_back(line); }
  bool has(std::string_view text) const {
    return std::any_of(all.begin(), all.end(), [&](const std::string& line) {
      return line.find(text) != std::string::npos;
    });
  }
  std::vector<std::string> all;
};

// The real time, and more of it when a test says so.
struct TestClock final : control::Clock {
  Instant now() const override { return real.now() + ahead; }
  Monotonic monotonic() const override { return real.monotonic(); }
  Awaitable<void> sleep_until(Monotonic t) override { return real.sleep_until(t); }
  adapters::RealClock real;
  Duration ahead{};
};

struct Reports final : control::ReportLink {
  void report(core::HostReport report) override { all.push_back(std::move(report)); }
  std::vector<core::HostReport> all;
};

// A region that knows some hosts by name, and one token.
struct Desk final : AgentDesk {
  explicit Desk(const CertificateAuthority& authority) : ca(authority) {}
  Awaitable<Answer<Joined>> join(Join request, std::string) override {
    if (request.token_secret != "right") {
      Refusal refusal;
      refusal.code = codec::agent::kRefusedToken;
      refusal.message = "the token is wrong";
      co_return tl::unexpected<Refusal>(std::move(refusal));
    }
    Joined joined;
    joined.certificate =
        *ca.sign_agent(request.certificate_request, request.name, clock.now(), hours(1));
    joined.ca_certificate = ca.certificate();
    co_return joined;
  }
  Awaitable<Answer<Admission>> admit(PeerIdentity who, Hello hello) override {
    hellos.push_back(std::move(hello));
    Admission admission;
    admission.host = core::HostId(who.name);
    admission.region = "test-1";
    admission.removed = removed.contains(who.name);
    admission.revision = core::Revision(99);
    co_return admission;
  }
  Awaitable<Answer<std::string>> renew(PeerIdentity who, std::string request) override {
    co_return *ca.sign_agent(request, who.name, clock.now(), hours(2));
  }
  NodePasswords passwords(const core::NodeAssignment& node) override {
    return {"admin of " + node.node.str(), "replication", certificate};
  }
  std::optional<control::LeaseGrant> lease(const core::HostId& host) override {
    lease_asked_by = host.str();
    return granted;
  }

  const CertificateAuthority& ca;
  adapters::RealClock clock;
  std::set<std::string> removed;
  std::string certificate;
  std::vector<Hello> hellos;
  std::string lease_asked_by;
  std::optional<control::LeaseGrant> granted;
};

core::Assignment assignment(std::uint64_t revision) {
  core::Assignment out;
  out.host = core::HostId("h1");
  out.revision = core::Revision(revision);
  core::NodeAssignment node;
  node.node = {core::CacheClusterId("foo-001"), core::NodeId("0001")};
  node.directives = {{"maxmemory", "100"}};
  out.nodes.emplace_back(node);
  return out;
}

core::HostReport report(std::uint64_t revision) {
  core::HostReport out;
  out.host = core::HostId("somebody else");  // the server knows better
  out.assignment_revision = core::Revision(revision);
  return out;
}

class AgentRpcTest : public ::testing::Test {
 protected:
  void TearDown() override {
    for (auto& client : clients_) {
      finish(client->stop());
    }
    for (auto& server : servers_) {
      finish(server->stop());
    }
    channels_.clear();
    io_.restart();
    io_.poll();
  }

  AgentServer::Options options() {
    AgentServer::Options out;
    out.software = "0.1.0";
    out.ping_every = milliseconds(50);
    out.silence = seconds(20);
    return out;
  }
  AgentServer& serve(AgentServer::Options with, std::uint16_t& port) {
    servers_.push_back(
        std::make_unique<AgentServer>(io_, std::move(with), desk_, reports_, clock_, server_log_));
    auto made = *ca_.make_server(clock_.now(), hours(1));
    const auto got = servers_.back()->listen(*Ipv4::parse("127.0.0.1"), 0,
                                             TlsIdentity{made.key, made.chain, ca_.certificate()});
    EXPECT_TRUE(got);
    port = got.value_or(0);
    return *servers_.back();
  }
  AgentServer& serve() { return serve(options(), port_); }

  TlsIdentity identity(const std::string& host, const CertificateAuthority& ca, Instant from,
                       Duration life) {
    const auto key = *adapters::make_key();
    const auto certificate =
        *ca.sign_agent(*adapters::make_certificate_request(key), host, from, life);
    return {key, certificate, ca_.certificate()};
  }
  TlsIdentity identity(const std::string& host) {
    return identity(host, ca_, clock_.now(), hours(1));
  }
  net::Peer here(std::uint16_t port) const { return net::Peer{"127.0.0.1", port}; }

  AgentClient& connect(std::vector<net::Peer> to, const TlsIdentity& who, std::string instance,
                       ProtocolVersion protocol = codec::agent::kProtocol) {
    AgentClient::Options with;
    with.servers = std::move(to);
    with.host = "h1";
    with.hello.protocol = protocol;
    with.hello.software = "0.9.9";
    with.hello.instance = std::move(instance);
    with.first_pause = milliseconds(10);
    with.longest_pause = milliseconds(50);
    AgentClient::Events events;
    events.assigned = [this](ReceivedAssignment one) { assigned_.push_back(std::move(one)); };
    events.removed = [this](const std::string&) { ++removals_; };
    events.certificate_request = [who] { return adapters::make_certificate_request(who.key); };
    events.leased = [this](const control::LeaseGrant& one) { leased_.push_back(one); };
    events.renewed = [this](std::string one) { renewed_.push_back(std::move(one)); };
    clients_.push_back(std::make_unique<AgentClient>(io_.get_executor(), std::move(with),
                                                     std::move(events), clock_, random_, log_));
    clients_.back()->use(*agent_tls(who), renew_at_, clock_.now() + hours(1));
    clients_.back()->start();
    return *clients_.back();
  }
  AgentClient& connect(const std::string& instance = "first") {
    return connect({here(port_)}, who_, instance);
  }

  bool run_until(const std::function<bool()>& done) {
    const Monotonic end = clock_.monotonic() + seconds(30);
    io_.restart();
    while (!done() && clock_.monotonic() < end) {
      io_.run_one_for(milliseconds(20));
    }
    return done();
  }
  template <class T>
  T finish(Awaitable<T> coroutine) {
    std::optional<T> out;
    boost::asio::co_spawn(io_, std::move(coroutine),
                          [&](std::exception_ptr, T value) { out.emplace(std::move(value)); });
    EXPECT_TRUE(run_until([&] { return out.has_value(); }));
    return out ? std::move(*out) : T();
  }
  void finish(Awaitable<void> coroutine) {
    bool done = false;
    boost::asio::co_spawn(io_, std::move(coroutine), [&](std::exception_ptr) { done = true; });
    EXPECT_TRUE(run_until([&] { return done; }));
  }

  // A peer that says one thing and is told one thing, for what no client of ours would do.
  Result<std::string> say(TlsContext tls, std::string text) {
    channels_.push_back(std::make_unique<Channel>(io_.get_executor(), here(port_), std::move(tls)));
    Channel& channel = *channels_.back();
    const Status opened = finish(channel.open(seconds(10)));
    if (!opened) {
      return tl::unexpected(opened.error());
    }
    const Status sent = finish(channel.write(std::move(text)));
    return sent ? finish(channel.read()) : Result<std::string>(tl::unexpected(sent.error()));
  }
  std::string hello(const std::string& instance) {
    Hello out;
    out.protocol = codec::agent::kProtocol;
    out.instance = instance;
    return codec::agent::encode(out);
  }
  bool is_welcome(const Result<std::string>& text) {
    const auto frame = text ? Frame::parse(*text) : Result<Frame>(tl::unexpected(text.error()));
    return frame && frame->body<Welcome>();
  }

  boost::asio::io_context io_{1};
  TestClock clock_;
  SeededRandom random_{7};
  Lines log_;
  Lines server_log_;
  Reports reports_;
  CertificateAuthority ca_ = std::move(*CertificateAuthority::derive("test", std::string(32, 't')));
  Desk desk_{ca_};
  Instant renew_at_ = clock_.now() + hours(1);
  TlsIdentity who_ = identity("h1");
  std::uint16_t port_ = 0;
  std::vector<ReceivedAssignment> assigned_;
  std::vector<std::string> renewed_;
  std::vector<control::LeaseGrant> leased_;
  int removals_ = 0;
  std::vector<std::unique_ptr<AgentServer>> servers_;
  std::vector<std::unique_ptr<AgentClient>> clients_;
  std::vector<std::unique_ptr<Channel>> channels_;
};

const core::HostId kHost("h1");

TEST_F(AgentRpcTest, CarriesLeases) {
  auto with = options();
  with.lease = milliseconds(700);
  serve(std::move(with), port_);
  AgentClient& client = connect();
  client.ask_lease(Monotonic(1));  // no server hears it
  ASSERT_TRUE(run_until([&] { return client.is_connected(); }));
  EXPECT_EQ(client.lease_length(), milliseconds(700));
  client.ask_lease(Monotonic(2));
  ASSERT_TRUE(run_until([&] { return desk_.lease_asked_by == "h1"; }));
  desk_.granted.emplace();
  desk_.granted->length = milliseconds(700);
  desk_.granted->primaries.emplace_back(
      core::NodeKey{core::CacheClusterId("foo-001"), core::NodeId("0001")}, core::Epoch(3));
  client.ask_lease(Monotonic(3));
  ASSERT_TRUE(run_until([&] { return !leased_.empty(); }));
  ASSERT_EQ(leased_.size(), 1U) << "what is not granted is not answered";
  EXPECT_EQ(leased_.front().asked, Monotonic(3));
  EXPECT_EQ(leased_.front().length, milliseconds(700));
  EXPECT_EQ(leased_.front().primaries, desk_.granted->primaries);
}

TEST_F(AgentRpcTest, CarriesAssignmentsAndReports) {
  AgentServer& server = serve();
  server.assign(assignment(1));  // before the agent is there
  server.assign(assignment(2));
  AgentClient& client = connect();
  ASSERT_TRUE(run_until([&] { return !assigned_.empty(); }));
  EXPECT_EQ(assigned_.front().assignment, assignment(2));  // the newest alone
  const auto& passwords = assigned_.front().passwords;
  EXPECT_EQ(passwords.begin()->second.admin, "admin of foo-001/0001");
  client.report(report(2));
  ASSERT_TRUE(run_until([&] { return !reports_.all.empty(); }));
  EXPECT_EQ(reports_.all.front().host, kHost);
  EXPECT_EQ(reports_.all.front().assignment_revision, core::Revision(2));
  server.assign(assignment(3));
  ASSERT_TRUE(run_until([&] { return assigned_.size() == 2; }));
  EXPECT_EQ(assigned_.back().assignment.revision, core::Revision(3));
  // The same once more, with the secrets of now.
  desk_.certificate = "renewed";
  server.assign_again();
  ASSERT_TRUE(run_until([&] { return assigned_.size() == 3; }));
  EXPECT_EQ(assigned_.back().assignment, assignment(3));
  EXPECT_EQ(assigned_.back().passwords.begin()->second.certificate, "renewed");
  EXPECT_TRUE(server.is_connected(kHost));
  EXPECT_EQ(desk_.hellos.front().software, "0.9.9");
}

TEST_F(AgentRpcTest, GoesOnWithAnotherServer) {
  std::uint16_t other = 0;
  AgentServer& first = serve();
  AgentServer& second = serve(options(), other);
  AgentClient& client = connect({here(port_), here(other)}, who_, "first");
  client.report(report(5));
  ASSERT_TRUE(run_until([&] { return !reports_.all.empty(); }));
  const bool at_first = first.is_connected(kHost);
  AgentServer& taken = at_first ? first : second;
  AgentServer& left = at_first ? second : first;
  finish(taken.stop());
  ASSERT_TRUE(run_until([&] { return left.is_connected(kHost); }));
  ASSERT_TRUE(run_until([&] { return reports_.all.size() == 2; }));  // told again, unasked
  EXPECT_EQ(reports_.all.back().assignment_revision, core::Revision(5));
}

TEST_F(AgentRpcTest, ASecondAgentOfTheSameHostIsRefused) {
  AgentServer& server = serve();
  AgentClient& first = connect("first");
  ASSERT_TRUE(run_until([&] { return server.is_connected(kHost); }));
  AgentClient& second = connect("second");
  ASSERT_TRUE(run_until([&] { return log_.has("served by another agent already"); }));
  EXPECT_TRUE(server_log_.has("was refused: host h1 is served by another agent already"));
  EXPECT_TRUE(first.is_connected());
  EXPECT_FALSE(second.is_connected());
}

TEST_F(AgentRpcTest, TheSameAgentReplacesItsOldConnection) {
  serve();
  const auto tls = *agent_tls(who_);
  ASSERT_TRUE(is_welcome(say(tls, hello("one"))));
  ASSERT_TRUE(is_welcome(say(tls, hello("one"))));
  EXPECT_FALSE(finish(channels_.front()->read()));
}

TEST_F(AgentRpcTest, AnAgentThatDoesNotAnswerIsReplaced) {
  AgentServer::Options with = options();
  with.probe = milliseconds(100);
  AgentServer& server = serve(with, port_);
  ASSERT_TRUE(is_welcome(say(*agent_tls(who_), hello("mute"))));
  AgentClient& client = connect("second");
  ASSERT_TRUE(run_until([&] { return client.is_connected(); }));
  EXPECT_TRUE(server.is_connected(kHost));
  EXPECT_TRUE(server_log_.has("it does not answer, and another agent came for the host"));
}

TEST_F(AgentRpcTest, AnAgentThatFallsSilentIsDropped) {
  AgentServer::Options with = options();
  with.silence = milliseconds(200);
  AgentServer& server = serve(with, port_);
  ASSERT_TRUE(is_welcome(say(*agent_tls(who_), hello("mute"))));
  ASSERT_TRUE(run_until([&] { return !server.is_connected(kHost); }));
  EXPECT_TRUE(server_log_.has("nothing was heard of it"));
}

TEST_F(AgentRpcTest, AnotherMajorVersionIsRefusedInWords) {
  AgentServer& server = serve();
  connect({here(port_)}, who_, "first", ProtocolVersion{2, 0});
  ASSERT_TRUE(run_until([&] { return log_.has("this side speaks 2.0; upgrade that one"); }));
  EXPECT_TRUE(
      server_log_.has("the agent of host h1 (hikae 0.9.9) speaks version 2.0 of the agent "
                      "protocol, this side speaks 1.1; upgrade this one"));
  EXPECT_FALSE(server.is_connected(kHost));
}

TEST_F(AgentRpcTest, TheAgentToldOfAnotherMajorVersionRefusesTheServer) {
  boost::asio::ip::tcp::acceptor acceptor(io_, {boost::asio::ip::make_address("127.0.0.1"), 0});
  port_ = acceptor.local_endpoint().port();
  auto made = *ca_.make_server(clock_.now(), hours(1));
  const auto tls = *server_tls({made.key, made.chain, ca_.certificate()});
  std::unique_ptr<Channel> channel;
  const auto welcome_all = [&]() -> Awaitable<void> {
    auto socket = co_await acceptor.async_accept(boost::asio::use_awaitable);
    channel = std::make_unique<Channel>(std::move(socket), tls);
    co_await channel->open(seconds(10));
    co_await channel->read();
    Welcome welcome;
    welcome.protocol = {3, 1};
    welcome.software = "7.0";
    std::string text = codec::agent::encode(welcome);
    co_await channel->write(std::move(text));
  };
  boost::asio::co_spawn(io_, welcome_all(), boost::asio::detached);
  AgentClient& client = connect();
  ASSERT_TRUE(run_until([&] {
    return log_.has(
        "(hikae 7.0) speaks version 3.1 of the agent protocol, this side speaks 1.1; "
        "upgrade this one");
  }));
  EXPECT_FALSE(client.is_connected());
}

TEST_F(AgentRpcTest, AnExpiredCertificateIsRefused) {
  AgentServer& server = serve();
  connect({here(port_)}, identity("h1", ca_, clock_.now() - hours(2), hours(1)), "first");
  ASSERT_TRUE(run_until([&] {
    return server_log_.has("the certificate of \"h1\" is not accepted: certificate has expired");
  }));
  ASSERT_TRUE(run_until([&] { return log_.has("certificate expired"); }));
  EXPECT_FALSE(server.is_connected(kHost));
}

TEST_F(AgentRpcTest, AnotherRegionIsRefusedByBothEnds) {
  serve();
  const auto other = std::move(*CertificateAuthority::derive("other", std::string(32, 'o')));
  TlsIdentity stranger = identity("h1", other, clock_.now(), hours(1));
  const auto refused = say(*agent_tls(stranger), hello("x"));
  EXPECT_EQ(refused.error().code, ErrorCode::kDenied);  // by the server
  stranger.ca_certificate = other.certificate();
  const auto distrusted = say(*agent_tls(stranger), hello("x"));
  ASSERT_FALSE(distrusted);
  EXPECT_EQ(distrusted.error().code, ErrorCode::kDenied);  // by the agent
  EXPECT_TRUE(desk_.hellos.empty());
}

TEST_F(AgentRpcTest, AHostJoinsWithTheRightTokenAtTheRightServer) {
  serve();
  Join request;
  request.protocol = codec::agent::kProtocol;
  request.name = "h7";
  request.token_secret = "right";
  const auto key = *adapters::make_key();
  request.certificate_request = *adapters::make_certificate_request(key);
  const auto join = [&](const std::string& fingerprint, Join with) {
    return finish(
        ask_to_join(here(port_), *joining_tls(fingerprint), std::move(with), seconds(10)));
  };
  const auto joined = join(ca_.fingerprint(), request);
  ASSERT_TRUE(joined) << joined.error().message;
  EXPECT_EQ(adapters::read_certificate(joined->certificate)->name, "h7");
  EXPECT_EQ(adapters::read_certificate(joined->ca_certificate)->fingerprint, ca_.fingerprint());

  Join wrong = request;
  wrong.token_secret = "wrong";
  const auto refused = join(ca_.fingerprint(), wrong);
  EXPECT_EQ(refused.error().code, ErrorCode::kDenied);
  EXPECT_EQ(refused.error().message, "the token is wrong");
  // The secret is not told to a server that is not the one of the token.
  const auto elsewhere = join(std::string(64, 'a'), request);
  EXPECT_EQ(elsewhere.error().code, ErrorCode::kUnavailable);
  Join newer = request;
  newer.protocol = {2, 0};
  const std::string conflict = join(ca_.fingerprint(), newer).error().message;
  EXPECT_NE(conflict.find("upgrade that one"), std::string::npos) << conflict;
}

TEST_F(AgentRpcTest, AnAgentWithoutACertificateMayOnlyJoin) {
  serve();
  EXPECT_FALSE(say(*joining_tls(ca_.fingerprint()), hello("x")));
  EXPECT_TRUE(server_log_.has("did not introduce itself, or has no certificate"));
  EXPECT_TRUE(desk_.hellos.empty());
}

TEST_F(AgentRpcTest, JunkEndsTheConnectionAlone) {
  AgentServer& server = serve();
  const auto tls = *agent_tls(who_);
  for (const std::string& text : {std::string("x"), std::string("{\"type\":\"ping\",\"body\":{}}"),
                                  "{\"type\":\"hello\",\"body\":" +
                                      std::string(codec::agent::kMaxGreetingBytes, ' ') + "{}}"}) {
    EXPECT_FALSE(say(tls, text));
  }
  AgentClient& client = connect();
  ASSERT_TRUE(run_until([&] { return server.is_connected(kHost); }));
  EXPECT_TRUE(run_until([&] { return client.is_connected(); }));
}

TEST_F(AgentRpcTest, ARemovedHostGetsNothingAndTellsNothing) {
  AgentServer& server = serve();
  server.assign(assignment(1));
  connect();
  ASSERT_TRUE(run_until([&] { return assigned_.size() == 1; }));
  desk_.removed.insert("h1");
  server.dismiss(kHost);
  ASSERT_TRUE(run_until([&] { return assigned_.size() == 2; }));
  EXPECT_TRUE(assigned_.back().assignment.nodes.empty());
  EXPECT_EQ(assigned_.back().assignment.revision, core::Revision(99));
  EXPECT_EQ(removals_, 1);
  EXPECT_FALSE(server.is_connected(kHost));
  // The answer to a later message shows that the report before it was read.
  ASSERT_TRUE(is_welcome(say(*agent_tls(who_), hello("x"))));
  Channel& channel = *channels_.front();
  finish(channel.write(codec::agent::encode(to_message(report(2), clock_.monotonic()))));
  finish(channel.write(codec::agent::encode(Ping{7, clock_.monotonic()})));
  bool answered = false;
  while (!answered) {
    const auto text = finish(channel.read());
    ASSERT_TRUE(text);
    answered = Frame::parse(*text)->type() == codec::agent::MessageType::kPong;
  }
  EXPECT_TRUE(reports_.all.empty());
}

TEST_F(AgentRpcTest, ACertificateIsRenewedOnTheConnection) {
  renew_at_ = clock_.now() - seconds(1);
  AgentServer& server = serve();
  connect();
  ASSERT_TRUE(run_until([&] { return !renewed_.empty(); }));
  const auto facts = adapters::read_certificate(renewed_.front());
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->name, "h1");
  EXPECT_EQ(facts->identity, *adapters::identity_of_key(who_.key));
  EXPECT_GT(facts->not_after, clock_.now() + hours(1));
  EXPECT_TRUE(server.is_connected(kHost));
}

TEST_F(AgentRpcTest, ASessionEndsWithItsCertificate) {
  renew_at_ = clock_.now() + hours(24);  // too late
  AgentServer& server = serve();
  connect();
  ASSERT_TRUE(run_until([&] { return server.is_connected(kHost); }));
  clock_.ahead = hours(2);
  ASSERT_TRUE(run_until([&] { return server_log_.has("its certificate has expired"); }));
  EXPECT_TRUE(run_until([&] { return !server.is_connected(kHost); }));
}

}  // namespace
}  // namespace hikae::agent_rpc
