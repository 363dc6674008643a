#include "codec/xml/json_writer.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/check.h"
#include "codec/text/encoding.h"

namespace hikae::codec {
namespace {

void append_quoted(std::string& out, std::string_view value) {
  out += '"';
  while (!value.empty()) {
    const std::size_t length = utf8_sequence_length(value);
    const std::string_view sequence = value.substr(0, length);
    value.remove_prefix(std::max<std::size_t>(length, 1));
    if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else if (sequence == "\"" || sequence == "\\") {
      out += '\\';
      out += sequence;
    } else if (static_cast<unsigned char>(sequence[0]) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(sequence[0]));
    } else {
      out += sequence;
    }
  }
  out += '"';
}

}  // namespace

void JsonWriter::key(std::string_view name) {
  HIKAE_CHECK(!stack_.empty());
  Level& level = stack_.back();
  if (!level.empty) {
    out_ += ',';
  }
  level.empty = false;
  if (!level.is_list) {
    append_quoted(out_, name);
    out_ += ':';
  }
}

void JsonWriter::close(char bracket) {
  HIKAE_CHECK(stack_.size() > 1 && stack_.back().is_list == (bracket == ']'));
  stack_.pop_back();
  out_ += bracket;
}

void JsonWriter::begin_structure(std::string_view name) {
  key(name);
  out_ += '{';
  stack_.push_back(Level{.is_list = false, .empty = true});
}

void JsonWriter::begin_list(std::string_view name, std::string_view /*item_name*/) {
  key(name);
  out_ += '[';
  stack_.push_back(Level{.is_list = true, .empty = true});
}

void JsonWriter::text(std::string_view name, std::string_view value) {
  key(name);
  append_quoted(out_, value);
}

void JsonWriter::integer(std::string_view name, std::int64_t value) {
  key(name);
  out_ += fmt::format_int(value).str();
}

void JsonWriter::boolean(std::string_view name, bool value) {
  key(name);
  out_ += value ? "true" : "false";
}

void JsonWriter::number(std::string_view name, double value) {
  key(name);
  out_ += std::isfinite(value) ? fmt::format("{}", value) : "null";
}

void JsonWriter::timestamp(std::string_view name, Instant value) {
  key(name);
  out_ += fmt::format("{:.3f}", double(value.microseconds()) / 1e6);
}

std::string JsonWriter::take() {
  HIKAE_CHECK(stack_.size() == 1);
  stack_.pop_back();
  out_ += '}';
  return std::move(out_);
}

}  // namespace hikae::codec
