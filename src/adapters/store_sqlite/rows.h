#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "core/state/state.h"

namespace hikae::adapters {

// One change as the database sees it.
struct RowChange {
  std::string kind;
  std::string id;
  std::string body;  // JSON; empty when the row is removed
  bool removed = false;
};

RowChange to_row(const core::Change& change);

// Adds the stored row to `transition` as a Put. kInvalid: an unknown kind (written by a newer
// version) or a damaged body; the message names kind and id.
Status add_row(std::string_view kind, std::string_view id, std::string_view body,
               core::Transition& transition);

}  // namespace hikae::adapters
