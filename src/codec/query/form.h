#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hikae::codec {

// Far above what any client sends (the longest real call has a few hundred parameters), far below
// what would cost us time.
inline constexpr std::size_t kMaxParameters = 5000;
inline constexpr std::size_t kMaxNameLength = 1024;
inline constexpr std::size_t kMaxValueLength = 1024 * 1024;

struct Parameter {
  std::string name;
  std::string value;
};

// A parsed application/x-www-form-urlencoded text: the body of a POST or a query string. Names and
// values are decoded and are valid UTF-8. Keeps the order of the wire.
class Form {
 public:
  Form() = default;

  // kInvalid for a bad escape, invalid UTF-8 or a NUL byte; kExhausted for a limit above. Empty
  // pieces (`a=1&&b=2`) are skipped; a name without `=` has the empty value.
  static Result<Form> parse(std::string_view text);

  const std::vector<Parameter>& parameters() const { return parameters_; }

  // The value of the first parameter of that name, or nullptr. Valid as long as the Form.
  const std::string* find(std::string_view name) const;

 private:
  std::vector<Parameter> parameters_;
  std::vector<std::uint32_t> by_name_;  // positions in parameters_, sorted by name, then position
};

}  // namespace hikae::codec
