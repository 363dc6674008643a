#pragma once

#include <string>

#include <fmt/format.h>

#include "core/admission/host.h"
#include "core/testing/world.h"

namespace hikae::core {

// A region of hosts that joined: h1, h2, h3 in the zones a, b, c, and others as tests add them.
class HostsWorld : public World {
 public:
  HostsWorld() {
    EXPECT_EQ(admit_code(ChooseShape{false}), "");
    EXPECT_EQ(admit_code(CreateJoinToken{JoinTokenId("t"), "digest", std::chrono::hours(1)}), "");
    join("h1", "a");
    join("h2", "b");
    join("h3", "c");
  }

  void join(const std::string& name, const std::string& zone, bool shared = false) {
    ++joined_;
    HostFacts facts;
    facts.zone = zone;
    facts.memory_bytes = std::uint64_t(64) << 30;
    const auto own = fmt::format("10.0.{}.1", joined_);
    facts.addresses = {
        *AddressRange::parse(shared ? own : fmt::format("{}-10.0.{}.9", own, joined_))};
    facts.shared_addresses = shared;
    EXPECT_EQ(admit_code(JoinHost{JoinTokenId("t"), "digest", name,
                                  std::string(64, char('a' + joined_ % 6)), facts}),
              "");
  }

  const Host& host(const std::string& id) { return *state.find<Host>(HostId(id)); }
  const Node& node(const std::string& cluster_id) { return cluster(cluster_id).nodes[0]; }
  const std::string& host_of(const std::string& cluster_id) { return node(cluster_id).host.str(); }
  // The member of the group that is on the host.
  std::string member_on(const std::string& group_id, const std::string& host_id) {
    for (const CacheClusterId& id : group(group_id).node_groups[0].members) {
      if (host_of(id.str()) == host_id) {
        return id.str();
      }
    }
    return "";
  }
  std::string primary_of(const std::string& group_id) {
    return group(group_id).node_groups[0].primary.str();
  }
  void lose(const std::string& id) { EXPECT_EQ(admit_code(NoteHost{HostId(id), false}), ""); }

 private:
  int joined_ = 0;
};

}  // namespace hikae::core
