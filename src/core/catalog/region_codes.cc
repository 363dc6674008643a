#include "core/catalog/region_codes.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "base/strings.h"

namespace hikae::core {
namespace {

constexpr std::size_t kMaxAreaLength = 8;
constexpr std::size_t kMaxCodeLength = 16;

bool is_label_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// `northeast` gives `ne`, `central` gives `c`; any other word its first letter, a number itself.
std::string abbreviate(std::string_view word) {
  constexpr std::array<std::string_view, 2> kFirst = {"north", "south"};
  constexpr std::array<std::string_view, 2> kSecond = {"east", "west"};
  for (const std::string_view first : kFirst) {
    for (const std::string_view second : kSecond) {
      if (word.starts_with(first) && word.substr(first.size()) == second) {
        return {first.front(), second.front()};
      }
    }
  }
  const bool number = std::all_of(word.begin(), word.end(), [](char c) { return c <= '9'; });
  return std::string(number ? word : word.substr(0, 1));
}

}  // namespace

std::string region_code(std::string_view region) {
  std::vector<std::string> words;
  for (const std::string& part : split(to_lower(region), '-')) {
    std::string word;
    std::copy_if(part.begin(), part.end(), std::back_inserter(word), is_label_character);
    if (!word.empty()) {
      words.push_back(std::move(word));
    }
  }
  if (words.empty()) {
    return "local";
  }
  std::string code = words.front().substr(0, kMaxAreaLength);
  for (std::size_t i = 1; i < words.size(); ++i) {
    code += abbreviate(words[i]);
  }
  return code.substr(0, kMaxCodeLength);
}

std::string zone_id(std::string_view region, std::string_view zone) {
  const int number = zone.empty() ? 1 : zone.back() - 'a' + 1;
  return fmt::format("{}-az{}", region_code(region), number);
}

}  // namespace hikae::core
