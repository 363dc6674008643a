#include "control/last_words.h"

#include <fmt/format.h>

#include "base/strings.h"

namespace hikae::control {
namespace {

constexpr std::size_t kLongest = 300;

}  // namespace

std::string last_words(const std::string& log, std::int64_t pid) {
  const std::string prefix = fmt::format("{}:", pid);
  std::string out;
  for (const std::string& line : split(log, '\n')) {
    if (line.starts_with(prefix)) {
      const auto level = line.find_first_of("#*");
      out = trim(level == std::string::npos ? line : line.substr(level + 1));
    }
  }
  return out.substr(0, kLongest);
}

std::string last_line(const std::string& output) {
  const std::string_view text = trim(output);
  const auto before = text.find_last_of('\n');
  return std::string(text.substr(before == std::string_view::npos ? 0 : before + 1, kLongest));
}

}  // namespace hikae::control
