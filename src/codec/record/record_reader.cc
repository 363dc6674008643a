#include "codec/record/record_reader.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

namespace hikae::codec {

bool RecordNode::is_null() const {
  return value_->is_null();
}
bool RecordNode::is_object() const {
  return value_->is_object();
}
bool RecordNode::is_array() const {
  return value_->is_array();
}

std::optional<std::string_view> RecordNode::as_string() const {
  const boost::json::string* text = value_->if_string();
  if (text == nullptr) {
    return std::nullopt;
  }
  return std::string_view(text->data(), text->size());
}

std::optional<std::int64_t> RecordNode::as_integer() const {
  const std::int64_t* number = value_->if_int64();
  return number == nullptr ? std::nullopt : std::optional<std::int64_t>(*number);
}

std::optional<std::uint64_t> RecordNode::as_unsigned() const {
  if (const std::uint64_t* number = value_->if_uint64(); number != nullptr) {
    return *number;
  }
  const std::int64_t* number = value_->if_int64();
  if (number == nullptr || *number < 0) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(*number);
}

std::optional<bool> RecordNode::as_boolean() const {
  const bool* flag = value_->if_bool();
  return flag == nullptr ? std::nullopt : std::optional<bool>(*flag);
}

std::optional<RecordNode> RecordNode::member(std::string_view name) const {
  const boost::json::value* found =
      value_->get_object().if_contains(boost::json::string_view(name.data(), name.size()));
  return found == nullptr ? std::nullopt : std::optional<RecordNode>(RecordNode(found));
}

void RecordNode::for_each_member(
    const std::function<bool(std::string_view, RecordNode)>& each) const {
  for (const auto& pair : value_->get_object()) {
    if (!each(std::string_view(pair.key().data(), pair.key().size()), RecordNode(&pair.value()))) {
      return;
    }
  }
}

void RecordNode::for_each_element(const std::function<bool(std::size_t, RecordNode)>& each) const {
  std::size_t index = 0;
  for (const boost::json::value& element : value_->get_array()) {
    if (!each(index++, RecordNode(&element))) {
      return;
    }
  }
}

Result<RecordDocument> RecordDocument::parse(std::string_view text) {
  if (text.size() > kMaxRecordBytes) {
    return fail(ErrorCode::kInvalid, fmt::format("a record of {} bytes is larger than {} bytes",
                                                 text.size(), kMaxRecordBytes));
  }
  boost::json::parse_options options;
  options.max_depth = kMaxRecordDepth;
  options.allow_invalid_utf8 = true;
  boost::json::error_code error;
  boost::json::value value = boost::json::parse(boost::json::string_view(text.data(), text.size()),
                                                error, boost::json::storage_ptr(), options);
  if (error) {
    return fail(ErrorCode::kInvalid, "not a JSON record: " + error.message());
  }
  RecordDocument document;
  document.value_ = std::make_shared<const boost::json::value>(std::move(value));
  return document;
}

}  // namespace hikae::codec
