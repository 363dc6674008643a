#include "adapters/agent_rpc/messages.h"

#include <gtest/gtest.h>

namespace hikae::agent_rpc {
namespace {

using codec::agent::encode;
using codec::agent::Frame;
using std::chrono::milliseconds;

// How many fields an aggregate has: as many as braces take.
struct Anything {
  template <class T>
  operator T() const;
};
template <class T, class... Fields>
constexpr std::size_t field_count() {
  if constexpr (requires { T{Fields()..., Anything()}; }) {
    return field_count<T, Fields..., Anything>();
  } else {
    return sizeof...(Fields);
  }
}
template <class T>
std::size_t visited_count() {
  std::size_t count = 0;
  T value;
  T::visit(value, [&](const char*, auto&) { ++count; });
  return count;
}

template <class T>
Result<T> read(std::string_view text) {
  const auto frame = Frame::parse(text);
  return frame ? frame->body<T>() : Result<T>(tl::unexpected(frame.error()));
}

core::NodeKey key(const char* cluster) {
  return {core::CacheClusterId(cluster), core::NodeId("0001")};
}

core::Assignment assignment() {
  core::Assignment out;
  out.host = core::HostId("h1");
  out.revision = core::Revision(7);
  out.ticket = {Instant(5), 3};
  core::NodeAssignment node;
  node.node = key("foo-001");
  node.engine = "valkey";
  node.address = *Ipv4::parse("10.0.0.1");
  node.role = core::Role::kReplica;
  node.epoch = core::Epoch(4);
  node.access = {"required", {std::string(64, 'a'), std::string(64, 'b')}, false};
  node.certificate_name = "*.foo.abcdef.cache.internal";
  node.certificate_aliases = {"foo.abcdef.ng.0001.cache.internal"};
  node.directives = {{"maxmemory", "100"}};
  out.nodes.emplace_back(node);
  node.node = key("foo-002");
  out.nodes.emplace_back(node);
  node.node = key("bar-001");
  node.directives = {{"maxmemory", "200"}};
  out.nodes.emplace_back(node);
  return out;
}

NodePasswords passwords_of(const core::NodeAssignment& node) {
  return {"admin of " + node.node.str(), "replication", "-----BEGIN\nPEM-----\n"};
}

// A field that visit() does not name never reaches an agent.
TEST(RpcMessages, EveryFieldTravels) {
  EXPECT_EQ(visited_count<core::NodeAssignment>(), field_count<core::NodeAssignment>());
  EXPECT_EQ(visited_count<core::NodeObservation>(), field_count<core::NodeObservation>());
}

TEST(RpcMessages, AnAssignmentArrivesAsItWas) {
  const AssignmentMessage message = to_message(assignment(), passwords_of);
  EXPECT_EQ(message.directives.size(), 2u);  // the first two nodes share theirs
  auto again = read<AssignmentMessage>(encode(message));
  ASSERT_TRUE(again) << again.error().message;
  const ReceivedAssignment got = from_message(std::move(*again));
  EXPECT_EQ(got.assignment, assignment());
  EXPECT_EQ(got.passwords.at(key("foo-002")), passwords_of(assignment().nodes[1]));
}

TEST(RpcMessages, AnAssignmentIsChecked) {
  const auto refused = [](auto spoil) {
    AssignmentMessage message = to_message(assignment(), passwords_of);
    spoil(message);
    return !read<AssignmentMessage>(encode(message));
  };
  EXPECT_FALSE(refused([](AssignmentMessage&) {}));
  EXPECT_TRUE(refused([](auto& m) { m.nodes[0].directives = 2; }));
  EXPECT_TRUE(refused([](auto& m) { m.nodes[0].node.role = core::Role(9); }));
  EXPECT_TRUE(refused([](auto& m) { m.nodes[0].node.node = key("../../etc"); }));
  EXPECT_TRUE(refused([](auto& m) { m.nodes[0].node.primary_name = "a\nuser default on"; }));
  EXPECT_TRUE(refused([](auto& m) { m.nodes[0].node.restore_file = "../state.db"; }));
  EXPECT_TRUE(refused([](auto& m) { m.nodes[0].node.snapshot_file = ".."; }));
  EXPECT_TRUE(refused([](auto& m) { m.nodes[0].node.access.tokens = {"0 on nopass"}; }));
  EXPECT_TRUE(refused([](auto& m) { m.nodes[0].node.access.transit_encryption = "some"; }));
  EXPECT_FALSE(refused([](auto& m) { m.nodes[0].node.access.transit_encryption = "preferred"; }));
  EXPECT_TRUE(refused([](auto& m) { m.nodes[0].node.certificate_name = "*.a\n"; }));
  EXPECT_TRUE(refused([](auto& m) { m.nodes[0].node.certificate_aliases = {"a", "b\n"}; }));
  EXPECT_TRUE(refused([](auto& m) { m.nodes[0].passwords.certificate = std::string(99999, 'x'); }));
  EXPECT_TRUE(refused([](auto& m) { m.nodes.resize(kMaxNodesOfMessage + 1, m.nodes[0]); }));
}

TEST(RpcMessages, AReportTellsTimesByTheirAge) {
  core::HostReport report;
  report.host = core::HostId("h1");
  report.ticket = {Instant(5), 3};
  report.assignment_revision = core::Revision(9);
  core::NodeObservation node;
  node.node = key("foo-001");
  node.process = core::NodeObservation::Process::kDying;
  node.problem = "said \x01 something";
  node.fault_seen = Monotonic(1000);
  report.nodes.emplace_back(node);
  node.node = key("foo-002");
  node.fault_seen = {};
  report.nodes.emplace_back(node);
  const auto text = encode(to_message(report, Monotonic(1000) + milliseconds(2)));
  auto again = read<ReportMessage>(text);
  ASSERT_TRUE(again) << again.error().message;
  const core::HostReport got = from_message(std::move(*again), Monotonic(9'000'000));
  EXPECT_EQ(got.host, report.host);
  EXPECT_EQ(got.ticket, report.ticket);
  EXPECT_EQ(got.assignment_revision, report.assignment_revision);
  EXPECT_EQ(got.nodes[0]->process, core::NodeObservation::Process::kDying);
  EXPECT_EQ(got.nodes[0]->problem, "said   something");
  EXPECT_EQ(Monotonic(9'000'000) - got.nodes[0]->fault_seen, milliseconds(2));
  EXPECT_EQ(got.nodes[1]->fault_seen, Monotonic());
}

TEST(RpcMessages, AReportIsChecked) {
  const auto refused = [](auto spoil) {
    ReportMessage message;
    message.nodes.resize(1);
    message.nodes[0].node = key("foo-001");
    spoil(message);
    return !read<ReportMessage>(encode(message));
  };
  EXPECT_FALSE(refused([](ReportMessage&) {}));
  EXPECT_TRUE(refused([](auto& m) { m.nodes[0].process = core::NodeObservation::Process(7); }));
  EXPECT_TRUE(refused([](auto& m) { m.nodes[0].role = core::Role(-1); }));
  EXPECT_TRUE(
      refused([](auto& m) { m.nodes[0].snapshot.stage = core::SnapshotProgress::Stage(9); }));
  EXPECT_TRUE(refused([](auto& m) { m.nodes[0].node = key(""); }));
  EXPECT_TRUE(refused([](auto& m) { m.nodes.resize(kMaxNodesOfMessage + 1, m.nodes[0]); }));
}

}  // namespace
}  // namespace hikae::agent_rpc
