#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/engine_binaries.h"

namespace hikae::app {

// The first executable of that name in a PATH, or empty.
std::string find_program(std::string_view name, std::string_view path);

// What `<program> <argument>` prints (both streams, at most 4 KiB). kUnavailable: it failed.
Result<std::string> program_output(const std::string& program, const std::string& argument);

// $PATH, and behind it the directories in which Debian puts servers and people put their own
// builds.
std::string search_path();

// The engines this machine can run: the configured programs first (empty: none), then those found
// on the search path. Runs each one for its version.
std::vector<engine::InstalledEngine> find_engines(const std::vector<std::string>& configured);

// Differs when one of the files that find_engines() would run has changed.
std::string engines_fingerprint(const std::vector<std::string>& configured);

}  // namespace hikae::app
