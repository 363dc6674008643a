#include "codec/query/form.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "codec/text/encoding.h"

namespace hikae::codec {
namespace {

// Checked before decoding too: an escape is three bytes for one.
Result<std::string> decode(std::string_view raw, std::size_t limit, std::string_view what) {
  if (raw.size() > limit * 3) {
    return fail(ErrorCode::kExhausted, fmt::format("a parameter {} is too long", what));
  }
  auto text = percent_decode(raw, Plus::kIsSpace);
  if (!text) {
    return fail(ErrorCode::kInvalid, fmt::format("a parameter {} has a malformed % escape", what));
  }
  if (text->size() > limit) {
    return fail(ErrorCode::kExhausted, fmt::format("a parameter {} is too long", what));
  }
  if (!is_valid_utf8(*text) || text->find('\0') != std::string::npos) {
    return fail(ErrorCode::kInvalid, fmt::format("a parameter {} is not valid UTF-8 text", what));
  }
  return std::move(*text);
}

}  // namespace

Result<Form> Form::parse(std::string_view text) {
  Form form;
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const std::string_view piece = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (piece.empty()) {
      continue;
    }
    if (form.parameters_.size() == kMaxParameters) {
      return fail(ErrorCode::kExhausted,
                  fmt::format("more than {} parameters in one request", kMaxParameters));
    }
    const auto equals = std::min(piece.find('='), piece.size());
    auto name = decode(piece.substr(0, equals), kMaxNameLength, "name");
    if (!name) {
      return tl::unexpected(name.error());
    }
    auto value = decode(piece.substr(std::min(equals + 1, piece.size())), kMaxValueLength, "value");
    if (!value) {
      return tl::unexpected(value.error());
    }
    form.parameters_.push_back(Parameter{std::move(*name), std::move(*value)});
  }
  form.by_name_.resize(form.parameters_.size());
  std::iota(form.by_name_.begin(), form.by_name_.end(), 0u);
  std::sort(form.by_name_.begin(), form.by_name_.end(), [&](auto a, auto b) {
    const int order = form.parameters_[a].name.compare(form.parameters_[b].name);
    return order != 0 ? order < 0 : a < b;
  });
  return form;
}

const std::string* Form::find(std::string_view name) const {
  const auto at = std::lower_bound(
      by_name_.begin(), by_name_.end(), name,
      [&](std::uint32_t i, std::string_view wanted) { return parameters_[i].name < wanted; });
  if (at == by_name_.end() || parameters_[*at].name != name) {
    return nullptr;
  }
  return &parameters_[*at].value;
}

}  // namespace hikae::codec
