#pragma once

#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "api/handlers/ec2/change.h"
#include "api/handlers/ec2/filter.h"
#include "api/handlers/ec2/page.h"

// The common way of EC2's Describe actions: choose by id, filter, page.

namespace hikae::api::ec2::handlers {

using Ids = std::optional<std::vector<std::string>>;

// The records named by `ids`, or all of them, as shapes, sorted by id. `require` answers the record
// or the refusal for an id that leads nowhere.
template <class Record, class Require, class ToShape>
auto select_records(const core::State& state, const Ids& ids, Require require, ToShape to_shape)
    -> ApiResult<std::vector<std::invoke_result_t<ToShape, const Record&>>> {
  std::vector<std::invoke_result_t<ToShape, const Record&>> shapes;
  if (!ids || ids->empty()) {
    for (const auto& [id, record] : state.all<Record>()) {
      shapes.push_back(to_shape(record));
    }
    return shapes;
  }
  for (const std::string& id : std::set<std::string>(ids->begin(), ids->end())) {
    const core::Admitted<const Record*> record = require(state, typename Record::Key(id));
    if (!record) {
      return refused(record.error());
    }
    shapes.push_back(to_shape(**record));
  }
  return shapes;
}

// Filters and pages what was selected. `Request` is the input of any paged Describe action; `ids`
// are the ids it named.
template <class T, class Request, class KeyOf>
ApiResult<Page<T>> finish_describe(const Request& input, const Ids& ids,
                                   ApiResult<std::vector<T>> selected, const FilterTable<T>& table,
                                   KeyOf key_of) {
  if (!selected) {
    return tl::unexpected(selected.error());
  }
  if (auto allowed = check_page_of_ids(ids, input.max_results); !allowed) {
    return tl::unexpected(allowed.error());
  }
  if (auto real = check_dry_run(input.dry_run); !real) {
    return tl::unexpected(real.error());
  }
  auto filtered = table.apply(input.filters, std::move(*selected));
  if (!filtered) {
    return tl::unexpected(filtered.error());
  }
  return paginate(std::move(*filtered), input.max_results, input.next_token, key_of);
}

}  // namespace hikae::api::ec2::handlers
