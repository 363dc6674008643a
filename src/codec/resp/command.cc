#include "codec/resp/command.h"

#include <iterator>

#include <fmt/format.h>

namespace hikae::codec::resp {

void append_command(std::string& out, const std::vector<std::string>& arguments) {
  fmt::format_to(std::back_inserter(out), "*{}\r\n", arguments.size());
  for (const std::string& argument : arguments) {
    fmt::format_to(std::back_inserter(out), "${}\r\n", argument.size());
    out.append(argument).append("\r\n");
  }
}

std::string encode_command(const std::vector<std::string>& arguments) {
  std::string out;
  append_command(out, arguments);
  return out;
}

}  // namespace hikae::codec::resp
