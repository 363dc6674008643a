#pragma once

#include <string>
#include <string_view>

#include "codec/text/digest.h"
#include "codec/text/encoding.h"

namespace hikae::app {

// What the state keeps of a region's secret: enough to notice another one, nothing to derive a
// password from.
inline std::string secret_check(std::string_view secret) {
  constexpr std::size_t kBytes = 8;
  const std::string mac = codec::hmac_sha256(secret, "the check of this secret");
  return codec::hex_encode(std::string_view(mac).substr(0, kBytes));
}

}  // namespace hikae::app
