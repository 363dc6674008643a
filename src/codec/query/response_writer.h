#pragma once

#include <cstdint>
#include <string_view>

#include "base/time.h"

namespace hikae::codec {

// Where the generated code of the API writes an answer, member by member in the order of the model.
// One implementation per form on the wire (XmlWriter, JsonWriter). Calls nest like brackets; names
// must be plain ASCII identifiers, values may be any bytes.
class ResponseWriter {
 public:
  virtual ~ResponseWriter() = default;

  virtual void begin_structure(std::string_view name) = 0;
  virtual void end_structure() = 0;

  // Everything written between begin_list and end_list is an item of the list, whatever name it is
  // given: items are called `item_name`. A list without items is written and is empty, not absent.
  virtual void begin_list(std::string_view name, std::string_view item_name) = 0;
  virtual void end_list() = 0;

  virtual void text(std::string_view name, std::string_view value) = 0;
  virtual void integer(std::string_view name, std::int64_t value) = 0;
  virtual void boolean(std::string_view name, bool value) = 0;
  virtual void number(std::string_view name, double value) = 0;
  // Milliseconds, UTC: `2015-02-02T18:46:57.972Z`.
  virtual void timestamp(std::string_view name, Instant value) = 0;
};

}  // namespace hikae::codec
