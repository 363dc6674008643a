#include "codec/record/record_writer.h"

#include <iterator>

#include <fmt/format.h>

namespace hikae::codec {

void RecordWriter::open(char bracket) {
  separate();
  out_ += bracket;
  needs_comma_ = false;
}

void RecordWriter::close(char bracket) {
  out_ += bracket;
  needs_comma_ = true;
}

void RecordWriter::separate() {
  if (needs_comma_) {
    out_ += ',';
  }
  needs_comma_ = true;
}

void RecordWriter::key(std::string_view name) {
  separate();
  quoted(name);
  out_ += ':';
  needs_comma_ = false;
}

void RecordWriter::string(std::string_view text) {
  separate();
  quoted(text);
}

void RecordWriter::integer(std::int64_t value) {
  separate();
  fmt::format_to(std::back_inserter(out_), "{}", value);
}

void RecordWriter::unsigned_integer(std::uint64_t value) {
  separate();
  fmt::format_to(std::back_inserter(out_), "{}", value);
}

void RecordWriter::boolean(bool value) {
  separate();
  out_ += value ? "true" : "false";
}

void RecordWriter::null() {
  separate();
  out_ += "null";
}

void RecordWriter::quoted(std::string_view text) {
  out_ += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out_ += '\\';
      out_ += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out_), "\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out_ += c;
    }
  }
  out_ += '"';
}

}  // namespace hikae::codec
