#include "core/admission/access_string.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "base/strings.h"
#include "core/catalog/acl.h"

namespace hikae::core {
namespace {

using Problem = std::optional<std::string>;

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view one) { return equals_ignoring_case(word, one); });
}

// Follows the engine's own reading of the rules (acl.c, ACLSetSelector), one word after the other.
class Reader {
 public:
  explicit Reader(std::string_view engine) : engine_(engine) {}

  Problem read(std::string_view word) {
    if (is_one_of(word, {"on", "off", "allcommands", "nocommands"})) {
      return std::nullopt;
    }
    if (is_one_of(word, {"allkeys", "~*", "resetkeys"})) {
      all_keys_ = !equals_ignoring_case(word, "resetkeys");
      return std::nullopt;
    }
    if (is_one_of(word, {"allchannels", "&*", "resetchannels"})) {
      all_channels_ = !equals_ignoring_case(word, "resetchannels");
      return std::nullopt;
    }
    switch (word.front()) {
      case '~':
      case '%':
        return read_keys(word);
      case '&':
        return all_channels_ ? useless("channels") : Problem();
      case '+':
      case '-':
        return word.starts_with("+@") || word.starts_with("-@") ? read_category(word)
                                                                : read_command(word);
      case '>':
      case '<':
      case '#':
      case '!':
        return "passwords do not belong there";  // not repeated
      case '(':
        return "selectors are not supported";
      default:
        return "it holds a word that is no rule";  // it may be a password, so it is not repeated
    }
  }

 private:
  static Problem useless(std::string_view what) {
    return fmt::format("a pattern after all {} has no effect", what);
  }

  Problem read_keys(std::string_view word) const {
    const auto tilde = word.find('~');
    std::string permissions = to_lower(word.substr(0, tilde));
    std::sort(permissions.begin(), permissions.end());
    const bool known =
        permissions.empty() || permissions == "%r" || permissions == "%w" || permissions == "%rw";
    if (tilde == std::string_view::npos || !known) {
      return fmt::format("{} is no pattern of keys", word);
    }
    return all_keys_ ? useless("keys") : Problem();
  }

  static Problem read_category(std::string_view word) {
    const std::string_view category = word.substr(2);
    if (is_one_of(category, {"all"}) || is_acl_category(category)) {
      return std::nullopt;
    }
    return fmt::format("there is no category {}", word.substr(1));
  }

  Problem read_command(std::string_view word) const {
    const std::string_view name = word.substr(1);
    const auto bar = name.find('|');
    const std::string_view command = name.substr(0, bar);
    // `+select|0` permits one first argument of a command that has no subcommands.
    const bool first_argument = word.front() == '+' && bar != std::string_view::npos &&
                                bar + 1 < name.size() && !is_acl_container(command) &&
                                name.find('|', bar + 1) == std::string_view::npos;
    const AclCommand* known = find_acl_command(first_argument ? command : name);
    if (known == nullptr || (known->valkey_only && engine_ != "valkey")) {
      return fmt::format("there is no command {}", name);
    }
    return std::nullopt;
  }

  std::string_view engine_;
  bool all_keys_ = false;
  bool all_channels_ = false;
};

Fault invalid(std::string_view problem) {
  return Fault{"InvalidParameterValue", fmt::format("Invalid Access String: {}.", problem)};
}

}  // namespace

std::optional<Fault> invalid_access_string(std::string_view text, std::string_view engine) {
  if (text.size() > kMaxAccessString) {
    return invalid(fmt::format("it is longer than {} characters", kMaxAccessString));
  }
  const bool blanks_only = std::all_of(text.begin(), text.end(), [](char c) { return c == ' '; });
  const bool control = std::any_of(text.begin(), text.end(),
                                   [](char c) { return std::uint8_t(c) < 0x20 || c == 0x7F; });
  if (blanks_only || control) {
    return invalid(blanks_only ? "it is empty" : "words are separated by spaces alone");
  }
  Reader reader(engine);
  for (const std::string& word : split(text, ' ')) {
    if (const Problem problem = word.empty() ? Problem() : reader.read(word)) {
      return invalid(*problem);
    }
  }
  return std::nullopt;
}

}  // namespace hikae::core
