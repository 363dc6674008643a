#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <CLI/App.hpp>

#include "adapters/system/files.h"

// What the commands share that run for long: `serve` and `agent`.

namespace hikae::app {

// Options of whoever runs engines; what was not said is empty.
struct EngineLine {
  bool engines_strict = false;
  std::string valkey_server;
  std::string redis_server;
  std::string log_file;
  std::optional<std::int64_t> hang_ms;
  std::optional<std::int64_t> busy_ms;
};

inline void add_engine_options(CLI::App& command, EngineLine& line) {
  command.add_flag("--engines-strict", line.engines_strict,
                   "Refuse an engine version that is not installed");
  command.add_option("--valkey-server", line.valkey_server, "Program for Valkey [found on PATH]")
      ->option_text("FILE");
  command.add_option("--redis-server", line.redis_server, "Program for Redis [found on PATH]")
      ->option_text("FILE");
  command.add_option("--log-file", line.log_file, "Write the log there too")->option_text("FILE");
  command
      .add_option("--hang-ms", line.hang_ms, "An engine that does nothing for so long hangs [100]")
      ->option_text("N");
  command
      .add_option("--busy-ms", line.busy_ms,
                  "One that works without answering for so long hangs too, 0: never [60000]")
      ->option_text("N");
}

inline std::optional<std::string> if_said(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

template <class Settings>
void take_engine_options(const EngineLine& line, Settings& settings) {
  if (line.engines_strict) {
    settings.engines_strict = true;
  }
  settings.valkey_server = if_said(line.valkey_server);
  settings.redis_server = if_said(line.redis_server);
  settings.log_file = if_said(line.log_file);
  settings.hang_ms = line.hang_ms;
  settings.busy_ms = line.busy_ms;
}

// The settings of a file (empty: none), and over them those of the command line.
template <class Settings>
Result<Settings> settings_of(const std::string& file,
                             Result<Settings> (*parse)(std::string_view, const std::string&),
                             const Settings& line) {
  Settings settings;
  if (!file.empty()) {
    const auto text = adapters::read_file(file);
    if (!text) {
      return tl::unexpected(text.error());
    }
    auto parsed = parse(*text, file);
    if (!parsed) {
      return parsed;
    }
    settings = std::move(*parsed);
  }
  return merge(std::move(settings), line);
}

}  // namespace hikae::app
