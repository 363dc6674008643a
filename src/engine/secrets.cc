#include "engine/secrets.h"

#include "codec/text/digest.h"
#include "codec/text/encoding.h"

namespace hikae::engine {
namespace {

// The purpose is part of the message, so that no password can stand in for another. Names hold no
// line feed, so two different messages never are the same bytes.
std::string derive(std::string_view region_secret, std::string_view purpose,
                   const std::string& name) {
  std::string message(purpose);
  message += '\n';
  message += name;
  return codec::hex_encode(codec::hmac_sha256(region_secret, message));
}

}  // namespace

NodeSecrets derive_secrets(std::string_view region_secret, const core::NodeKey& node,
                           const core::ReplicationGroupId& group) {
  return NodeSecrets{derive(region_secret, "engine admin", node.str()),
                     group.empty()
                         ? derive(region_secret, "engine replication, standalone", node.str())
                         : derive(region_secret, "engine replication, group", group.str())};
}

SecretSource secrets_from(std::string region_secret) {
  return [secret = std::move(region_secret)](const core::NodeKey& node,
                                             const core::ReplicationGroupId& group) {
    return derive_secrets(secret, node, group);
  };
}

}  // namespace hikae::engine
