#include "control/last_words.h"

#include <fmt/format.h>

#include "base/strings.h"

namespace hikae::control {

std::string last_words(const std::string& log, std::int64_t pid) {
  constexpr std::size_t kLongest = 300;
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

}  // namespace hikae::control
