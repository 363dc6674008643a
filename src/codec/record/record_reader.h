#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace boost::json {
class value;
}

namespace hikae::codec {

// Limits of one record: far above the largest resource, far below what hurts.
inline constexpr std::size_t kMaxRecordBytes = 16 * 1024 * 1024;
inline constexpr std::size_t kMaxRecordDepth = 32;

// A JSON value inside a RecordDocument, valid as long as the document. Each as_...() answers
// nullopt when the value is of another type or out of range.
class RecordNode {
 public:
  explicit RecordNode(const boost::json::value* value) : value_(value) {}
  bool is_null() const;
  bool is_object() const;
  bool is_array() const;
  std::optional<std::string_view> as_string() const;
  std::optional<std::int64_t> as_integer() const;
  std::optional<std::uint64_t> as_unsigned() const;
  std::optional<bool> as_boolean() const;
  // The member of that name, or nullopt. The node must be an object.
  std::optional<RecordNode> member(std::string_view name) const;
  // All members, or all elements, in their order; stops when `each` answers false.
  void for_each_member(const std::function<bool(std::string_view, RecordNode)>& each) const;
  void for_each_element(const std::function<bool(std::size_t, RecordNode)>& each) const;

 private:
  const boost::json::value* value_;
};

// A parsed text. Bytes that are not UTF-8 are kept: a record that was written can always be read.
class RecordDocument {
 public:
  // kInvalid: not JSON, too large or too deep.
  static Result<RecordDocument> parse(std::string_view text);
  RecordNode root() const { return RecordNode(value_.get()); }

 private:
  std::shared_ptr<const boost::json::value> value_;
};

}  // namespace hikae::codec
