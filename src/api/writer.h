#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/version.h"
#include "base/time.h"
#include "codec/query/response_writer.h"

// What the generated writers are made of. An absent member is not written; a present empty list or
// structure is written as an empty element, which clients tell apart.
namespace hikae::api {

struct WriteContext {
  codec::ResponseWriter& out;
  ApiVersion version;  // members that a model of this version does not have are left out
};

inline void write_value(WriteContext& context, std::string_view name, const std::string& value) {
  context.out.text(name, value);
}
inline void write_value(WriteContext& context, std::string_view name, bool value) {
  context.out.boolean(name, value);
}
inline void write_value(WriteContext& context, std::string_view name, std::int32_t value) {
  context.out.integer(name, value);
}
inline void write_value(WriteContext& context, std::string_view name, std::int64_t value) {
  context.out.integer(name, value);
}
inline void write_value(WriteContext& context, std::string_view name, double value) {
  context.out.number(name, value);
}
inline void write_value(WriteContext& context, std::string_view name, Instant value) {
  context.out.timestamp(name, value);
}

// A structure: calls the generated write_members() of its type.
template <class T>
void write_value(WriteContext& context, std::string_view name, const T& value) {
  context.out.begin_structure(name);
  write_members(context, value);
  context.out.end_structure();
}

template <class T>
void write_member(WriteContext& context, std::string_view name, const std::optional<T>& member) {
  if (member) {
    write_value(context, name, *member);
  }
}

template <class T>
void write_list(WriteContext& context, std::string_view name, std::string_view item_name,
                const std::optional<std::vector<T>>& member) {
  if (!member) {
    return;
  }
  context.out.begin_list(name, item_name);
  for (const T& item : *member) {
    write_value(context, item_name, item);
  }
  context.out.end_list();
}

}  // namespace hikae::api
