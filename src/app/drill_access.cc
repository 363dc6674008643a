#include "app/drill_access.h"

#include <filesystem>

#include "adapters/system/files.h"
#include "engine/redis_config.h"
#include "engine/secrets.h"

namespace hikae::app {

Status DrillAccess::open() {
  auto secret = adapters::read_file(data_ + "/secret");
  if (!secret) {
    return tl::unexpected(secret.error());
  }
  secret_ = std::move(*secret);
  return {};
}

std::optional<resp::Target> DrillAccess::administrator_at(const NameTable& names,
                                                          Ipv4 address) const {
  const auto cluster = cluster_at(names, address);
  if (!cluster) {
    return std::nullopt;
  }
  const core::NodeKey node{core::CacheClusterId(*cluster), core::NodeId("0001")};
  std::error_code ignored;
  for (const auto& host : std::filesystem::directory_iterator(data_ + "/nodes", ignored)) {
    const auto socket = host.path() / node.str() / engine::kAdminSocket;
    if (!std::filesystem::exists(socket, ignored)) {
      continue;
    }
    resp::Target target = resp::Target::at_path(socket.string());
    target.credentials = {std::string(engine::kAdminUser),
                          engine::derive_secrets(secret_, node, {}).admin};
    return target;
  }
  return std::nullopt;
}

}  // namespace hikae::app
