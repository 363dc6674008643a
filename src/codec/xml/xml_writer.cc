#include "codec/xml/xml_writer.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/check.h"
#include "codec/text/encoding.h"

namespace hikae::codec {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// XML 1.0, 2.2: tab, line feed, carriage return, and from U+0020 without U+FFFE and U+FFFF.
bool is_forbidden(std::string_view sequence) {
  if (sequence.size() == 1) {
    const auto c = static_cast<unsigned char>(sequence[0]);
    return c < 0x20 && c != '\t' && c != '\n' && c != '\r';
  }
  return sequence == "\xEF\xBF\xBE" || sequence == "\xEF\xBF\xBF";
}

std::string_view entity(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&apos;";
    case '\r':  // a parser would turn a bare one into a line feed
      return "&#13;";
    default:
      return {};
  }
}

}  // namespace

void append_xml_escaped(std::string& out, std::string_view value) {
  while (!value.empty()) {
    const std::size_t length = utf8_sequence_length(value);
    const std::string_view sequence = value.substr(0, length);
    value.remove_prefix(std::max<std::size_t>(length, 1));
    if (length == 0) {
      out += kReplacement;
    } else if (const auto escaped = entity(sequence[0]); !escaped.empty()) {
      out += escaped;
    } else if (!is_forbidden(sequence)) {
      out += sequence;
    }
  }
}

bool is_xml_text(std::string_view value) {
  while (!value.empty()) {
    const std::size_t length = utf8_sequence_length(value);
    if (length == 0 || is_forbidden(value.substr(0, length))) {
      return false;
    }
    value.remove_prefix(length);
  }
  return true;
}

std::string_view XmlWriter::effective_name(std::string_view name) const {
  return !stack_.empty() && !stack_.back().item_name.empty() ? stack_.back().item_name : name;
}

void XmlWriter::finish_start_tag() {
  if (start_tag_open_) {
    out_ += '>';
    start_tag_open_ = false;
  }
}

void XmlWriter::open(std::string_view name, std::string_view item_name,
                     std::string_view xml_namespace) {
  const std::string tag(effective_name(name));
  finish_start_tag();
  out_ += '<';
  out_ += tag;
  if (!xml_namespace.empty()) {
    out_ += " xmlns=\"";
    append_xml_escaped(out_, xml_namespace);
    out_ += '"';
  }
  start_tag_open_ = true;
  stack_.push_back(Open{tag, std::string(item_name)});
}

void XmlWriter::close() {
  HIKAE_CHECK(!stack_.empty());
  if (start_tag_open_) {
    out_ += "/>";
    start_tag_open_ = false;
  } else {
    out_ += "</";
    out_ += stack_.back().name;
    out_ += '>';
  }
  stack_.pop_back();
}

void XmlWriter::begin_structure(std::string_view name) {
  open(name, {}, {});
}

void XmlWriter::begin_structure(std::string_view name, std::string_view xml_namespace) {
  open(name, {}, xml_namespace);
}

void XmlWriter::begin_list(std::string_view name, std::string_view item_name) {
  HIKAE_CHECK(!item_name.empty());
  open(name, item_name, {});
}

void XmlWriter::begin_leaf(std::string_view name) {
  finish_start_tag();
  out_ += '<';
  out_ += effective_name(name);
  out_ += '>';
}

void XmlWriter::end_leaf(std::string_view name) {
  out_ += "</";
  out_ += effective_name(name);
  out_ += '>';
}

void XmlWriter::leaf(std::string_view name, std::string_view plain_value) {
  begin_leaf(name);
  out_ += plain_value;
  end_leaf(name);
}

void XmlWriter::text(std::string_view name, std::string_view value) {
  begin_leaf(name);
  append_xml_escaped(out_, value);
  end_leaf(name);
}

void XmlWriter::integer(std::string_view name, std::int64_t value) {
  leaf(name, fmt::format_int(value).str());
}

void XmlWriter::boolean(std::string_view name, bool value) {
  leaf(name, value ? "true" : "false");
}

void XmlWriter::number(std::string_view name, double value) {
  // xsd:double names the values that are not numbers; fmt writes the shortest text otherwise.
  if (std::isnan(value)) {
    leaf(name, "NaN");
  } else if (std::isinf(value)) {
    leaf(name, value > 0 ? "Infinity" : "-Infinity");
  } else {
    leaf(name, fmt::format("{}", value));
  }
}

void XmlWriter::timestamp(std::string_view name, Instant value) {
  leaf(name, to_iso8601(value));
}

}  // namespace hikae::codec
