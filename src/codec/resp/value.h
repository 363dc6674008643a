#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hikae::codec::resp {

// One reply of RESP2 or RESP3. Which members hold something depends on `type`:
//   kSimple, kError, kBulk, kBigNumber, kVerbatim   text (of kVerbatim without its format prefix)
//   kInteger, kBoolean (0 or 1)                     integer
//   kDouble                                         number
//   kArray, kSet, kPush                             items
//   kMap                                            items: key, value, key, value...
struct Value {
  enum class Type {
    kNull,
    kSimple,
    kError,
    kInteger,
    kBulk,
    kArray,
    kMap,
    kSet,
    kDouble,
    kBoolean,
    kBigNumber,
    kVerbatim,
    kPush,
  };

  Type type = Type::kNull;
  std::string text;
  std::int64_t integer = 0;
  double number = 0;
  std::vector<Value> items;

  bool is_null() const { return type == Type::kNull; }
  bool is_error() const { return type == Type::kError; }
  bool is_ok() const { return type == Type::kSimple && text == "OK"; }
  bool is_aggregate() const {
    return type == Type::kArray || type == Type::kMap || type == Type::kSet || type == Type::kPush;
  }

  // The text of a simple, bulk, verbatim or big number reply; empty for every other type (an error
  // is not taken for text by mistake).
  std::string_view as_text() const;

  // The elements of an aggregate; empty for every other type.
  const std::vector<Value>& array() const;

  // `ERR`, `WRONGPASS`, `MOVED`...: the first word of an error, empty for every other type.
  std::string_view error_code() const;

  friend bool operator==(const Value&, const Value&) = default;
};

}  // namespace hikae::codec::resp
