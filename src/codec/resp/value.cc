#include "codec/resp/value.h"

namespace hikae::codec::resp {

std::string_view Value::as_text() const {
  switch (type) {
    case Type::kSimple:
    case Type::kBulk:
    case Type::kBigNumber:
    case Type::kVerbatim:
      return text;
    default:
      return {};
  }
}

const std::vector<Value>& Value::array() const {
  static const std::vector<Value> kEmpty;
  return is_aggregate() ? items : kEmpty;
}

std::string_view Value::error_code() const {
  return is_error() ? std::string_view(text).substr(0, text.find(' ')) : std::string_view();
}

}  // namespace hikae::codec::resp
