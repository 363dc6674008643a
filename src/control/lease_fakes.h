#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "control/ports.h"

// Leases in memory, and replicas and servers that answer as a test says.

namespace hikae::control {

struct FakeLeases final : FenceLeases {
  Result<std::string> path(core::NodeKey node) override { return "/dev/shm/" + node.str(); }
  Status set(core::NodeKey node, Lease lease) override {
    all[node] = lease;
    return {};
  }
  std::optional<Lease> get(core::NodeKey node) const override {
    const auto it = all.find(node);
    return it == all.end() ? std::nullopt : std::optional(it->second);
  }
  Status set_fence(core::NodeKey node, Fence which) override {
    fences[node] = which;
    return {};
  }
  Fence fence(core::NodeKey node) const override {
    const auto it = fences.find(node);
    return it == fences.end() ? Fence::kModule : it->second;
  }
  void remove(core::NodeKey node) override {
    all.erase(node);
    fences.erase(node);
  }
  std::map<core::NodeKey, Lease> all;
  std::map<core::NodeKey, Fence> fences;
};

struct FakePromises final : ReplicaPromises {
  explicit FakePromises(Clock& clock) : clock(clock) {}
  Awaitable<Status> count(core::NodeAssignment, Duration) override {
    ++counted;
    co_return Status();
  }
  Awaitable<Status> take(core::NodeAssignment, Duration asked_for) override {
    ++asked;
    length = asked_for;
    co_await boost::asio::post(boost::asio::use_awaitable);  // a question takes its time
    if (const auto event = std::exchange(meanwhile, nullptr)) {
      event();
    }
    if (takes > Duration()) {
      co_await clock.sleep_for(takes);
    }
    co_return promise ? Status() : fail(ErrorCode::kUnavailable, "one does not follow");
  }
  Awaitable<Status> end_transactions(core::NodeAssignment) override {
    ++ended;
    co_return answers ? Status() : fail(ErrorCode::kTimeout, "busy");
  }
  Clock& clock;
  int counted = 0;
  int asked = 0;
  int ended = 0;
  Duration length{};  // that was asked for last
  Duration takes{};   // until an answer
  bool promise = true;
  bool answers = true;
  std::function<void()> meanwhile;
};

inline constexpr Duration kLength = std::chrono::milliseconds(1000);

struct FakeLeaseLink final : LeaseLink {
  void ask_lease(Monotonic asked) override { questions.push_back(asked); }
  Duration lease_length() const override { return length; }
  std::vector<Monotonic> questions;
  Duration length = kLength;
};

}  // namespace hikae::control
