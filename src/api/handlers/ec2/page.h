#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/fault.h"

// MaxResults and NextToken of EC2's Describe actions.

namespace hikae::api::ec2::handlers {

// The token names the last item of the page before, so that what was made or deleted in between
// neither repeats nor hides others.
std::string encode_page_token(const std::string& last_key);
// InvalidNextToken for a text that encode_page_token did not make.
ApiResult<std::string> decode_page_token(const std::string& token);

// Ids and MaxResults exclude each other in EC2.
ApiResult<void> check_page_of_ids(const std::optional<std::vector<std::string>>& ids,
                                  const std::optional<std::int32_t>& max_results);

template <class T>
struct Page {
  std::vector<T> items;
  std::optional<std::string> next_token;
};

// `items` come sorted by `key_of`, whose values are unique. Without max_results all that follow the
// token are answered.
template <class T, class KeyOf>
ApiResult<Page<T>> paginate(std::vector<T> items, const std::optional<std::int32_t>& max_results,
                            const std::optional<std::string>& token, KeyOf key_of) {
  std::size_t begin = 0;
  if (token && !token->empty()) {
    const auto last = decode_page_token(*token);
    if (!last) {
      return tl::unexpected(last.error());
    }
    while (begin < items.size() && key_of(items[begin]) <= *last) {
      ++begin;
    }
  }
  std::size_t end = items.size();
  if (max_results && *max_results >= 0) {
    end = std::min(end, begin + std::size_t(*max_results));
  }
  Page<T> page;
  const bool more = end < items.size() && end > begin;
  if (more) {
    page.next_token = encode_page_token(key_of(items[end - 1]));
  }
  page.items.assign(std::make_move_iterator(items.begin() + std::ptrdiff_t(begin)),
                    std::make_move_iterator(items.begin() + std::ptrdiff_t(end)));
  return page;
}

}  // namespace hikae::api::ec2::handlers
