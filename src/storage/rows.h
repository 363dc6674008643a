#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/state/state.h"

namespace hikae::storage {

// One change as a database sees it.
struct RowChange {
  std::string kind;
  std::string id;
  std::string body;  // JSON; empty when the row is removed
  bool removed = false;
  friend bool operator==(const RowChange&, const RowChange&) = default;
};

RowChange to_row(const core::Change& change);

// Every row of the state, by kind and key.
std::vector<RowChange> to_rows(const core::State& state);

// Adds the stored row to `transition` as a Put. kInvalid: an unknown kind (written by a newer
// version) or a damaged body; the message names kind and id.
Status add_row(std::string_view kind, std::string_view id, std::string_view body,
               core::Transition& transition);

// The same for a row that may have been removed.
Status add_change(const RowChange& row, core::Transition& transition);

// One line of JSON without its end, and back. kInvalid: it is none.
std::string to_line(const RowChange& row);
Result<RowChange> from_line(std::string_view line);

}  // namespace hikae::storage
