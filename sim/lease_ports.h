#pragma once

#include "sim/host_ports.h"

namespace hikae::sim {

// The same incarnation's way to the fences inside its engines, and to their replicas.
class LeasePorts final : public control::FenceLeases, public control::ReplicaPromises {
 public:
  LeasePorts(Env env, Fleet& fleet, Disk& disk, Realm realm)
      : env_(env), fleet_(fleet), disk_(disk), realm_(realm) {}
  void end() { ended_ = true; }

  Result<std::string> path(core::NodeKey node, Fence) override { return "/sim/" + node.str(); }
  Fence fence(core::NodeKey) const override { return Fence::kModule; }
  Status set(core::NodeKey node, Lease lease) override;
  std::optional<Lease> get(core::NodeKey node) const override;
  void remove(core::NodeKey node) override;

  control::Awaitable<Status> count(core::NodeAssignment assignment, Duration length) override;
  control::Awaitable<Status> take(core::NodeAssignment assignment, Duration length) override;
  control::Awaitable<Status> end_transactions(core::NodeAssignment assignment) override;

 private:
  control::Awaitable<void> pass(Duration time);
  Engine* primary(const core::NodeKey& node) const;

  Env env_;
  Fleet& fleet_;
  Disk& disk_;
  Realm realm_;
  bool ended_ = false;
};

// The world's time of a point on the host's clock for leases.
Monotonic world_time(const Disk& disk, Monotonic on_host);

}  // namespace hikae::sim
