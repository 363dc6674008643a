#include "core/admission/ec2_ipv6.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <vector>

#include <fmt/format.h>

#include "base/address.h"
#include "base/strings.h"

namespace hikae::core {
namespace {

constexpr std::size_t kWords = 8;
constexpr std::size_t kMaxWordLength = 4;
using Words = std::array<std::uint16_t, kWords>;

// One side of `::`. nullopt when a word is malformed; an empty side has no words.
std::optional<std::vector<std::uint16_t>> parse_side(std::string_view text) {
  std::vector<std::uint16_t> words;
  if (text.empty()) {
    return words;
  }
  const auto parts = split(text, ':');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string& part = parts[i];
    if (i + 1 == parts.size() && part.find('.') != std::string::npos) {
      const auto v4 = Ipv4::parse(part);
      if (!v4) {
        return std::nullopt;
      }
      words.push_back(std::uint16_t(v4->bits() >> 16));
      words.push_back(std::uint16_t(v4->bits() & 0xffff));
      continue;
    }
    std::uint16_t word = 0;
    const char* end = part.data() + part.size();
    const auto [stop, error] = std::from_chars(part.data(), end, word, 16);
    if (part.empty() || part.size() > kMaxWordLength || error != std::errc() || stop != end) {
      return std::nullopt;
    }
    words.push_back(word);
  }
  return words;
}

std::optional<Words> parse_address(std::string_view text) {
  const auto gap = text.find("::");
  const bool has_gap = gap != std::string_view::npos;
  const auto head = parse_side(text.substr(0, gap));
  const auto tail = parse_side(has_gap ? text.substr(gap + 2) : std::string_view());
  if (!head || !tail) {
    return std::nullopt;
  }
  const std::size_t given = head->size() + tail->size();
  if (has_gap ? given >= kWords : given != kWords) {
    return std::nullopt;
  }
  Words words{};
  std::copy(head->begin(), head->end(), words.begin());
  std::copy(tail->rbegin(), tail->rend(), words.rbegin());
  return words;
}

// The longest run of two or more zero words, the first of equals, is written `::`.
std::string spell(const Words& words) {
  std::size_t best_start = kWords;
  std::size_t best_length = 1;
  for (std::size_t start = 0; start < kWords; ++start) {
    std::size_t length = 0;
    while (start + length < kWords && words[start + length] == 0) {
      ++length;
    }
    if (length > best_length) {
      best_start = start;
      best_length = length;
    }
  }
  std::string out;
  for (std::size_t i = 0; i < kWords; ++i) {
    if (i == best_start) {
      out += "::";
      i += best_length - 1;
      continue;
    }
    out += out.empty() || out.ends_with(':') ? "" : ":";
    out += fmt::format("{:x}", words[i]);
  }
  return out;
}

}  // namespace

std::optional<std::string> canonical_ipv6_cidr(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) {
    return std::nullopt;
  }
  auto words = parse_address(text.substr(0, slash));
  const auto length = parse_integer(text.substr(slash + 1));
  if (!words || !length || *length < 0 || *length > 128) {
    return std::nullopt;
  }
  std::int64_t kept = *length;
  for (std::uint16_t& word : *words) {
    const auto bits = kept < 0 ? 0 : kept > 16 ? 16 : kept;
    word &= std::uint16_t(0xffff0000u >> bits);
    kept -= 16;
  }
  return fmt::format("{}/{}", spell(*words), *length);
}

}  // namespace hikae::core
