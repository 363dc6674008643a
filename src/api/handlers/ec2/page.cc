#include "api/handlers/ec2/page.h"

#include <string_view>

#include <fmt/format.h>

#include "codec/text/encoding.h"

namespace hikae::api::ec2::handlers {
namespace {

// Tells our tokens from other base64; raised when the meaning of the rest changes.
constexpr std::string_view kTokenPrefix = "after1:";

}  // namespace

std::string encode_page_token(const std::string& last_key) {
  return codec::base64_encode(std::string(kTokenPrefix) + last_key);
}

ApiResult<std::string> decode_page_token(const std::string& token) {
  const auto text = codec::base64_decode(token);
  if (!text || !text->starts_with(kTokenPrefix)) {
    return refuse("InvalidNextToken", fmt::format("The token '{}' is invalid", token));
  }
  return text->substr(kTokenPrefix.size());
}

ApiResult<void> check_page_of_ids(const std::optional<std::vector<std::string>>& ids,
                                  const std::optional<std::int32_t>& max_results) {
  if (ids && !ids->empty() && max_results) {
    return refuse("InvalidParameterCombination",
                  "A list of ids cannot be used with the parameter maxResults");
  }
  return {};
}

}  // namespace hikae::api::ec2::handlers
