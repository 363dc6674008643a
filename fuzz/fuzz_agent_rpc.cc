// Assignments and reports between servers and agents, with any bytes: safe, within their limits,
// and whatever is taken can be sent on.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "adapters/agent_rpc/messages.h"
#include "base/check.h"

namespace {

using namespace hikae::agent_rpc;
using hikae::codec::agent::encode;
using hikae::codec::agent::Frame;

void take_assignment(const Frame& frame) {
  auto message = frame.body<AssignmentMessage>();
  if (!message) {
    return;
  }
  const ReceivedAssignment received = from_message(std::move(*message));
  HIKAE_CHECK(received.assignment.nodes.size() <= kMaxNodesOfMessage);
  const auto passwords = [&](const hikae::core::NodeAssignment& node) {
    return received.passwords.at(node.node);
  };
  const auto again = Frame::parse(encode(to_message(received.assignment, passwords)));
  if (again) {
    auto same = again->body<AssignmentMessage>();
    HIKAE_CHECK(same && from_message(std::move(*same)).assignment == received.assignment);
  }
}

void take_report(const Frame& frame) {
  auto message = frame.body<ReportMessage>();
  if (!message) {
    return;
  }
  const auto report = from_message(std::move(*message), hikae::Monotonic(1));
  HIKAE_CHECK(report.nodes.size() <= kMaxNodesOfMessage);
  for (const auto& node : report.nodes) {
    HIKAE_CHECK(node->problem.find('\n') == std::string::npos);
    HIKAE_CHECK(node->fault_seen <= hikae::Monotonic(1));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto frame = Frame::parse(bytes)) {
    take_assignment(*frame);
    take_report(*frame);
  }
  return 0;
}
