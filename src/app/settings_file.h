#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "base/result.h"

namespace hikae::app {

// Where the value of a key goes; its type says what the key must hold.
using SettingTarget = std::variant<std::optional<std::string>*, std::optional<std::int64_t>*,
                                   std::optional<bool>*, std::optional<std::vector<std::string>>*>;

// Reads TOML into the settings of its keys, `data` or `engines.strict`. kInvalid: not TOML, an
// unknown key, or a value of the wrong type; the message names file, line and key.
Status read_settings(std::string_view content, const std::string& file_name,
                     const std::map<std::string, SettingTarget>& keys);

// What was said in one place wins over what was said in another.
template <class T>
void take_over(std::optional<T>& base, const std::optional<T>& over) {
  if (over) {
    base = over;
  }
}

// The refusal of a setting's value.
inline tl::unexpected<Error> bad_setting(std::string_view setting, std::string_view value,
                                         std::string_view expected) {
  return fail(ErrorCode::kInvalid,
              fmt::format("{} is \"{}\", which is not {}", setting, value, expected));
}

}  // namespace hikae::app
