#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "core/state/state.h"

namespace hikae::storage {

// A region as one file. Lines of JSON: a head, a row for every resource, and an end with the digest
// of all before, so that a file which is cut off or changed is refused.
struct Archive {
  static constexpr std::uint32_t kVersion = 1;
  core::State state;
  // What a data directory holds beside the state; empty unless asked for.
  std::string secret;
  std::string access_key_id;
  std::string secret_access_key;
};

std::string write_archive(const Archive& archive);

// kInvalid: not an archive, damaged, or of a newer version.
Result<Archive> read_archive(std::string_view text);

}  // namespace hikae::storage
