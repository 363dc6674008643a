#pragma once

#include <string>

#include <fmt/format.h>

#include "app/host_messages.h"
#include "app/http_get.h"
#include "base/result.h"
#include "codec/record/record.h"

namespace hikae::app {

// Asks the serve that runs on a data directory, signed with the region's access key. Blocks.
Result<HttpReply> post_to_region(const std::string& data_directory, const HostRequest& request);

// The same, and reads the answer. A refusal of serve's is an error.
template <class Answer>
Result<Answer> ask_region(const std::string& data_directory, const HostRequest& request) {
  const auto reply = post_to_region(data_directory, request);
  if (!reply) {
    return tl::unexpected(reply.error());
  }
  auto answer = codec::from_json<Answer>(reply->body);
  if (!answer) {
    return fail(ErrorCode::kInternal, fmt::format("serve answered {} and nothing that can be read; "
                                                  "is it of the same version?",
                                                  reply->status));
  }
  if (!answer->error.empty()) {
    return fail(ErrorCode::kInvalid, answer->error);
  }
  return std::move(*answer);
}

}  // namespace hikae::app
