#include "control/agent_note.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"

namespace hikae::control {
namespace {

constexpr std::string_view kGeneration = "generation=";
constexpr std::string_view kStarts = "starts=";
constexpr std::string_view kProgram = "program=";
constexpr std::string_view kVersion = "version=";
constexpr std::string_view kSaved = "saved=";
constexpr std::string_view kDirective = "directive.";
constexpr std::string_view kEncryption = "transit_encryption=";
constexpr std::string_view kToken = "token=";  // its digest
constexpr std::string_view kUser = "user.";
constexpr std::string_view kTokenOptional = "token_optional=1";

void write_access(const core::Access& access, std::string& out) {
  if (access.encrypted()) {
    out += fmt::format("{}{}\n", kEncryption, access.transit_encryption);
  }
  for (const std::string& digest : access.tokens) {
    out += fmt::format("{}{}\n", kToken, digest);
  }
  if (access.token_optional) {
    out += fmt::format("{}\n", kTokenOptional);
  }
}

std::uint64_t read_count(std::string_view text) {
  return std::uint64_t(std::max<std::int64_t>(parse_integer(text).value_or(0), 0));
}

void read_access(std::string_view line, core::Access& access) {
  if (line.starts_with(kEncryption)) {
    access.transit_encryption = line.substr(kEncryption.size());
  } else if (line.starts_with(kToken)) {
    access.tokens.emplace_back(line.substr(kToken.size()));
  } else if (line == kTokenOptional) {
    access.token_optional = true;
  }
}

}  // namespace

std::string write_agent_note(const AgentNote& note) {
  std::string out = fmt::format("{}{}\n{}{}\n{}{}\n{}{}\n{}{}\n", kGeneration, note.generation,
                                kStarts, note.starts, kProgram, note.program, kVersion,
                                note.version, kSaved, note.saved ? 1 : 0);
  write_access(note.access, out);
  for (const auto& [name, value] : note.directives) {
    out += fmt::format("{}{}={}\n", kDirective, name, value);
  }
  for (const auto& [name, rules] : note.users) {
    out += fmt::format("{}{} {}\n", kUser, name, rules);  // names hold no blanks
  }
  return out;
}

AgentNote read_agent_note(std::string_view text) {
  AgentNote note;
  SharedMap::Map directives;
  SharedMap::Map users;
  for (const std::string& line : split(text, '\n')) {
    const std::string_view rest = line;
    if (rest.starts_with(kGeneration)) {
      note.generation = read_count(rest.substr(kGeneration.size()));
    } else if (rest.starts_with(kStarts)) {
      note.starts = read_count(rest.substr(kStarts.size()));
    } else if (rest.starts_with(kProgram)) {
      note.program = rest.substr(kProgram.size());
    } else if (rest.starts_with(kVersion)) {
      note.version = rest.substr(kVersion.size());
    } else if (rest.starts_with(kSaved)) {
      note.saved = rest.substr(kSaved.size()) == "1";
    } else if (rest.starts_with(kUser)) {
      const auto blank = rest.find(' ');
      if (blank != std::string_view::npos) {
        users.emplace(rest.substr(kUser.size(), blank - kUser.size()), rest.substr(blank + 1));
      }
    } else if (rest.starts_with(kDirective)) {
      const auto equals = rest.find('=');
      if (equals != std::string_view::npos) {
        directives.emplace(rest.substr(kDirective.size(), equals - kDirective.size()),
                           rest.substr(equals + 1));
      }
    } else {
      read_access(rest, note.access);
    }
  }
  note.directives = std::move(directives);
  note.users = std::move(users);
  return note;
}

}  // namespace hikae::control
