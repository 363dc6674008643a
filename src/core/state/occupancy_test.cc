#include "core/state/occupancy.h"

#include <set>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/state/state.h"

namespace hikae::core {
namespace {

Ipv4 address_at(int i) {
  return Ipv4(0x0a000000u + std::uint32_t(i));
}

RC_GTEST_PROP(AddressesInUse, FindTheFreeOneThatACountWouldFind, ()) {
  AddressesInUse in_use;
  std::multiset<int> model;
  for (const int draw : *rc::gen::container<std::vector<int>>(rc::gen::inRange(-20, 20))) {
    const int i = draw < 0 ? -draw - 1 : draw;
    if (draw >= 0) {
      in_use.add(address_at(i));
      model.insert(i);
    } else if (const auto it = model.find(i); it != model.end()) {
      in_use.remove(address_at(i));
      model.erase(it);
    }
    for (int first = 0; first < 20; ++first) {
      int free = first;
      while (model.contains(free)) {
        ++free;
      }
      RC_ASSERT(in_use.lowest_free(address_at(first), address_at(18)) ==
                (free <= 18 ? std::optional(address_at(free)) : std::nullopt));
    }
  }
  RC_ASSERT(in_use.empty() == model.empty());
}

TEST(AddressesInUse, EndWithTheLastAddressThereIs) {
  AddressesInUse in_use;
  in_use.add(Ipv4(0xffffffff));
  in_use.add(Ipv4(0xfffffffe));
  EXPECT_FALSE(in_use.lowest_free(Ipv4(0xfffffffe), Ipv4(0xffffffff)));
  EXPECT_EQ(in_use.lowest_free(Ipv4(0xfffffffd), Ipv4(0xffffffff)), Ipv4(0xfffffffd));
}

HostId host_of(int i) {
  return i == 0 ? HostId() : HostId(fmt::format("h{}", i));
}

CacheCluster draw_cluster(int number) {
  const auto small = [] { return *rc::gen::inRange(0, 3); };
  CacheCluster out;
  out.id = CacheClusterId(fmt::format("c{}", number));
  out.settings.node_type = small() == 0 ? "cache.m3.medium" : "cache.m5.large";
  out.upgrade.node_type = small() == 0 ? "cache.r5.large" : "";
  out.replication_group = ReplicationGroupId(small() == 0 ? "" : fmt::format("g{}", small()));
  for (int i = small(); i > 0; --i) {
    Node node;
    node.id = NodeId(fmt::format("{:04}", i));
    node.host = host_of(small());
    node.zone = ZoneName(fmt::format("z{}", small()));
    node.subnet = SubnetId(fmt::format("s{}", small()));
    node.address = address_at(small());
    node.vpc_address = address_at(small());
    node.move.host = small() == 0 ? host_of(small()) : HostId();
    node.move.address = address_at(small());
    out.nodes.push_back(std::move(node));
  }
  return out;
}

ReplicationGroup draw_group(int number) {
  ReplicationGroup out;
  out.id = ReplicationGroupId(fmt::format("g{}", number));
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i) {
    NodeGroup node_group;
    node_group.primary = CacheClusterId(fmt::format("c{}", *rc::gen::inRange(0, 5)));
    out.node_groups.push_back(std::move(node_group));
  }
  return out;
}

// In whatever order clusters and groups come and go, and whether or not they agree.
RC_GTEST_PROP(Occupancy, KeptUpIsWhatACountFromTheStartFinds, ()) {
  State state;
  for (int round = 0; round < 12; ++round) {
    Transition transition;
    for (int changes = *rc::gen::inRange(1, 4); changes > 0; --changes) {
      const int number = *rc::gen::inRange(0, 5);
      switch (*rc::gen::inRange(0, 5)) {
        case 0:
          transition.remove<CacheCluster>(CacheClusterId(fmt::format("c{}", number)));
          break;
        case 1:
          transition.remove<ReplicationGroup>(ReplicationGroupId(fmt::format("g{}", number)));
          break;
        case 2:
          transition.put(draw_group(number));
          break;
        default:
          transition.put(draw_cluster(number));
      }
    }
    state.apply(transition, state.revision().next());
    RC_ASSERT(state.occupancy() == count_occupancy(state));
  }
}

}  // namespace
}  // namespace hikae::core
