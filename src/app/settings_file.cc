// Apart from whoever reads a file, because toml++ alone takes seconds to compile.
#include "app/settings_file.h"

#define TOML_EXCEPTIONS 0
#include <algorithm>

#include <fmt/format.h>
#include <toml++/toml.h>

namespace hikae::app {
namespace {

using Keys = std::map<std::string, SettingTarget>;

// Each takes one value into its setting; false when it is of another type.
struct Take {
  const toml::node& node;
  bool operator()(std::optional<std::string>* setting) const {
    *setting = node.value_exact<std::string>();
    return setting->has_value();
  }
  bool operator()(std::optional<std::int64_t>* setting) const {
    *setting = node.value_exact<std::int64_t>();
    return setting->has_value();
  }
  bool operator()(std::optional<bool>* setting) const {
    *setting = node.value_exact<bool>();
    return setting->has_value();
  }
  bool operator()(std::optional<std::vector<std::string>>* setting) const {
    const toml::array* array = node.as_array();
    if (array == nullptr) {
      return false;
    }
    setting->emplace();
    for (const toml::node& element : *array) {
      const auto value = element.value_exact<std::string>();
      if (!value) {
        return false;
      }
      (*setting)->push_back(*value);
    }
    return true;
  }
};

struct NameOfType {
  const char* operator()(std::optional<std::string>*) const { return "a string"; }
  const char* operator()(std::optional<std::int64_t>*) const { return "a whole number"; }
  const char* operator()(std::optional<bool>*) const { return "true or false"; }
  const char* operator()(std::optional<std::vector<std::string>>*) const {
    return "an array of strings";
  }
};

// The key nearest to a misspelt one is worth more than the whole list, and needs more code; the
// list is short.
std::string known_keys(const Keys& keys) {
  std::string out;
  for (const auto& [name, key] : keys) {
    out += (out.empty() ? "" : ", ") + name;
  }
  return out;
}

bool is_section(const std::string& name, const Keys& keys) {
  return std::any_of(keys.begin(), keys.end(),
                     [&](const auto& key) { return key.first.starts_with(name + "."); });
}

Status read_table(const toml::table& table, const std::string& prefix, const Keys& keys,
                  const std::string& file) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    const auto line = name.source().begin.line;
    if (prefix.empty() && node.is_table() && is_section(key, keys)) {
      if (Status inner = read_table(*node.as_table(), key + ".", keys, file); !inner) {
        return inner;
      }
      continue;
    }
    const auto known = keys.find(key);
    if (known == keys.end()) {
      return fail(ErrorCode::kInvalid, fmt::format("{}:{}: unknown key {}; known are {}", file,
                                                   line, key, known_keys(keys)));
    }
    if (!std::visit(Take{node}, known->second)) {
      return fail(ErrorCode::kInvalid, fmt::format("{}:{}: {} is not {}", file, line, key,
                                                   std::visit(NameOfType(), known->second)));
    }
  }
  return {};
}

}  // namespace

Status read_settings(std::string_view content, const std::string& file_name, const Keys& keys) {
  const toml::parse_result parsed = toml::parse(content, file_name);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return fail(ErrorCode::kInvalid, fmt::format("{}:{}: {}", file_name, error.source().begin.line,
                                                 error.description()));
  }
  return read_table(parsed.table(), "", keys, file_name);
}

}  // namespace hikae::app
