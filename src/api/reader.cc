#include "api/reader.h"

#include <algorithm>

#include <fmt/format.h>

#include "api/pattern.h"
#include "codec/query/scalars.h"
#include "codec/xml/xml_writer.h"

namespace hikae::api {
namespace {

// A message must not carry a megabyte back.
constexpr std::size_t kMaxShownValue = 128;

std::string shortened(std::string_view value) {
  if (value.size() <= kMaxShownValue) {
    return std::string(value);
  }
  return std::string(value.substr(0, kMaxShownValue)) + "...";
}

std::size_t count_characters(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

template <class T>
void read_parsed(const codec::QueryNode& node, std::string_view name, T& out, ReadContext& context,
                 std::optional<T> (*parse)(std::string_view), std::string_view expected) {
  const std::string* text = node.value();
  const std::optional<T> value = text != nullptr ? parse(*text) : std::nullopt;
  if (!value) {
    context.invalid(name, text != nullptr ? std::string_view(*text) : "", expected);
    return;
  }
  out = *value;
}

}  // namespace

ReadContext::Scope::Scope(ReadContext& context, std::string_view token)
    : context_(context), length_(context.path_.size()) {
  context_.path_.append(token);
  context_.path_.push_back('.');
}

std::string ReadContext::path_of(std::string_view name) const {
  return path_ + std::string(name);
}

void ReadContext::refuse(ApiFault fault) {
  if (!fault_) {
    fault_ = std::move(fault);
  }
}

void ReadContext::missing(std::string_view name) {
  const std::string path = path_of(name);
  refuse(ApiFault("MissingParameter",
                  dialect_ == Dialect::kEc2
                      ? fmt::format("The request must contain the parameter {}", path)
                      : fmt::format("The parameter {} must be provided.", path)));
}

void ReadContext::invalid(std::string_view name, std::string_view value,
                          std::string_view expected) {
  const std::string path = path_of(name);
  const std::string shown = shortened(value);
  refuse(ApiFault(
      "InvalidParameterValue",
      dialect_ == Dialect::kEc2
          ? fmt::format("Value ({}) for parameter {} is invalid. {}", shown, path, expected)
          : fmt::format("Invalid value {} for {}. {}", shown, path, expected)));
}

std::vector<const codec::QueryNode*> list_items(const codec::QueryNode& list,
                                                const ReadContext& context) {
  return context.dialect() == Dialect::kEc2 ? list.flat_items() : list.wrapped_items();
}

void read_value(const codec::QueryNode& node, std::string_view name, std::string& out,
                ReadContext& context) {
  const std::string* text = node.value();
  if (text == nullptr) {
    context.invalid(name, "", "Must be a string");
    return;
  }
  if (!codec::is_xml_text(*text)) {
    context.invalid(name, *text, "Must not have control characters: no answer could show them");
    return;
  }
  out = *text;
}

void read_value(const codec::QueryNode& node, std::string_view name, bool& out,
                ReadContext& context) {
  read_parsed(node, name, out, context, &codec::parse_bool, "Must be true or false");
}

void read_value(const codec::QueryNode& node, std::string_view name, std::int32_t& out,
                ReadContext& context) {
  read_parsed(node, name, out, context, &codec::parse_int32, "Must be an integer");
}

void read_value(const codec::QueryNode& node, std::string_view name, std::int64_t& out,
                ReadContext& context) {
  read_parsed(node, name, out, context, &codec::parse_int64, "Must be an integer");
}

void read_value(const codec::QueryNode& node, std::string_view name, double& out,
                ReadContext& context) {
  read_parsed(node, name, out, context, &codec::parse_double, "Must be a number");
}

void read_value(const codec::QueryNode& node, std::string_view name, Instant& out,
                ReadContext& context) {
  read_parsed(node, name, out, context, &codec::parse_timestamp, "Must be a time in ISO 8601");
}

void check_one_of(const std::string& value, std::string_view name,
                  std::span<const std::string_view> allowed, ReadContext& context) {
  if (std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
    context.invalid(name, value, fmt::format("Must be one of {}", fmt::join(allowed, ", ")));
  }
}

void check_length(const std::string& value, std::string_view name, std::size_t min, std::size_t max,
                  ReadContext& context) {
  const std::size_t length = count_characters(value);
  if (length < min) {
    context.invalid(name, value, fmt::format("Must have at least {} characters", min));
  } else if (length > max) {
    context.invalid(name, value, fmt::format("Must have at most {} characters", max));
  }
}

void check_range(std::int64_t value, std::string_view name, std::int64_t min, std::int64_t max,
                 ReadContext& context) {
  if (value < min || value > max) {
    context.invalid(name, std::to_string(value),
                    fmt::format("Must be between {} and {}", min, max));
  }
}

void check_pattern(const std::string& value, std::string_view name, std::string_view pattern,
                   ReadContext& context) {
  if (!matches_pattern(value, pattern)) {
    context.invalid(name, value, fmt::format("Must match the pattern {}", pattern));
  }
}

void check_count(std::size_t count, std::string_view name, std::size_t min, std::size_t max,
                 ReadContext& context) {
  if (count < min) {
    context.invalid(name, fmt::format("with {} items", count),
                    fmt::format("Must have at least {} items", min));
  } else if (count > max) {
    context.invalid(name, fmt::format("with {} items", count),
                    fmt::format("Must have at most {} items", max));
  }
}

}  // namespace hikae::api
