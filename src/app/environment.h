#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/runtime_facts.h"
#include "base/result.h"

namespace hikae::app {

// The variables by which AWS's tools and SDKs, and clients of encrypted caches, find the region.
using Variables = std::vector<std::pair<std::string, std::string>>;

// kNotFound: no region was ever served from that directory.
Result<Variables> client_variables(const std::string& data_directory, const RuntimeFacts& facts);

// Variables that would win over ours when the user has them set: removed, where they are.
const std::vector<std::string>& conflicting_variables();

// One word for a POSIX shell, in quotes only where needed.
std::string shell_quote(std::string_view text);

// `export NAME=value` lines, for eval.
std::string render_exports(const Variables& variables);

// `hikae env`: prints the lines and answers the exit code.
int run_env(const std::string& data_directory);

}  // namespace hikae::app
