#include "adapters/system/machine.h"

#include <array>
#include <string_view>
#include <unistd.h>

#include "adapters/system/files.h"
#include "base/strings.h"

namespace hikae::adapters {

std::string machine_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : "";
}

std::uint64_t machine_memory() {
  const auto text = read_file("/proc/meminfo");
  for (const std::string& line : split(text.value_or(""), '\n')) {
    constexpr std::string_view kTotal = "MemTotal:";
    if (line.starts_with(kTotal)) {
      const std::string_view rest = trim(std::string_view(line).substr(kTotal.size()));
      return std::uint64_t(parse_integer(rest.substr(0, rest.find(' '))).value_or(0)) * 1024;
    }
  }
  return 0;
}

}  // namespace hikae::adapters
