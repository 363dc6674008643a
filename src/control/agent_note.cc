#include "control/agent_note.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"

namespace hikae::control {
namespace {

constexpr std::string_view kGeneration = "generation=";
constexpr std::string_view kProgram = "program=";
constexpr std::string_view kSaved = "saved=";
constexpr std::string_view kDirective = "directive.";
constexpr std::string_view kAccess = "access.";

}  // namespace

std::string write_agent_note(const AgentNote& note) {
  std::string out = fmt::format("{}{}\n{}{}\n{}{}\n", kGeneration, note.generation, kProgram,
                                note.program, kSaved, note.saved ? 1 : 0);
  for (const auto& [name, value] : note.directives) {
    out += fmt::format("{}{}={}\n", kDirective, name, value);
  }
  for (const auto& [name, rules] : note.access) {
    out += fmt::format("{}{} {}\n", kAccess, name, rules);  // names hold no blanks
  }
  return out;
}

AgentNote read_agent_note(std::string_view text) {
  AgentNote note;
  SharedMap::Map directives;
  SharedMap::Map access;
  for (const std::string& line : split(text, '\n')) {
    const std::string_view rest = line;
    if (rest.starts_with(kGeneration)) {
      const auto number = parse_integer(rest.substr(kGeneration.size()));
      note.generation = std::uint64_t(std::max<std::int64_t>(number.value_or(0), 0));
    } else if (rest.starts_with(kProgram)) {
      note.program = rest.substr(kProgram.size());
    } else if (rest.starts_with(kSaved)) {
      note.saved = rest.substr(kSaved.size()) == "1";
    } else if (rest.starts_with(kAccess)) {
      const auto blank = rest.find(' ');
      if (blank != std::string_view::npos) {
        access.emplace(rest.substr(kAccess.size(), blank - kAccess.size()), rest.substr(blank + 1));
      }
    } else if (rest.starts_with(kDirective)) {
      const auto equals = rest.find('=');
      if (equals != std::string_view::npos) {
        directives.emplace(rest.substr(kDirective.size(), equals - kDirective.size()),
                           rest.substr(equals + 1));
      }
    }
  }
  note.directives = std::move(directives);
  note.access = std::move(access);
  return note;
}

}  // namespace hikae::control
