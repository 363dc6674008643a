#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hikae::codec {

// Appends JSON text. Commas are put where they belong; balance of begin and end is the caller's.
// Strings may hold any bytes: controls, quotes and backslashes are escaped, the rest passes as is.
class RecordWriter {
 public:
  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }
  // Before each value inside an object.
  void key(std::string_view name);
  void string(std::string_view text);
  void integer(std::int64_t value);
  void unsigned_integer(std::uint64_t value);
  void boolean(bool value);
  void null();
  std::string take() { return std::move(out_); }

 private:
  void open(char bracket);
  void close(char bracket);
  void separate();
  void quoted(std::string_view text);

  std::string out_;
  bool needs_comma_ = false;
};

}  // namespace hikae::codec
