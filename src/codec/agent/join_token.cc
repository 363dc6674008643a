#include "codec/agent/join_token.h"

#include <fmt/format.h>

#include "base/strings.h"

namespace hikae::codec::agent {
namespace {

constexpr std::string_view kPrefix = "hikae-join";

bool is_hex(const std::string& text, std::size_t length) {
  return text.size() == length && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

std::optional<JoinTokenText> JoinTokenText::parse(std::string_view text) {
  const auto parts = split(trim(text), '.');
  if (parts.size() != 4 || parts[0] != kPrefix || !is_hex(parts[1], kTokenIdLength) ||
      !is_hex(parts[2], kTokenSecretLength) || !is_hex(parts[3], kFingerprintLength)) {
    return std::nullopt;
  }
  return JoinTokenText{parts[1], parts[2], parts[3]};
}

std::string JoinTokenText::str() const {
  return fmt::format("{}.{}.{}.{}", kPrefix, id, secret, ca_fingerprint);
}

}  // namespace hikae::codec::agent
