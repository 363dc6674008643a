#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/resource/ids.h"

namespace hikae::engine {

inline constexpr std::string_view kAdminUser = "hikae-admin";
inline constexpr std::string_view kReplicationUser = "hikae-replication";

// Passwords of a node's hidden users, 64 hexadecimal digits each. They are derived, so nothing has
// to be stored or sent: the region's secret and the node's names give the same ones again.
struct NodeSecrets {
  std::string admin;        // of this node alone
  std::string replication;  // of the whole replication group; of a standalone node its own
};

NodeSecrets derive_secrets(std::string_view region_secret, const core::NodeKey& node,
                           const core::ReplicationGroupId& group);

// Where a driver gets them: derived here, or told by whoever may derive them.
using SecretSource =
    std::function<NodeSecrets(const core::NodeKey& node, const core::ReplicationGroupId& group)>;

// Derives them.
SecretSource secrets_from(std::string region_secret);

}  // namespace hikae::engine
