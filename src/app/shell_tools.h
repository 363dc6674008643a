#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "app/runtime_facts.h"
#include "base/result.h"

namespace hikae::app {

// Whether `aws --version` tells of a client that knows AWS_ENDPOINT_URL: 1.29 and newer, 2.13 and
// newer (the AWS CLI's changelogs of July 2023). nullopt: not a version.
std::optional<bool> knows_endpoint_variable(std::string_view version_output);

// The script that stands for dig where our server has no port 53: questions about names of `domain`
// go to `server`, all others take their usual way.
std::string dig_wrapper(const std::string& dig, const SocketAddress& server,
                        const std::string& domain);

// The directories to put before PATH in the shell, made below `<data>/shell` as needed; `with_dig`
// when names cannot be asked for on port 53.
Result<std::string> tool_path(const std::string& data_directory, const RuntimeFacts& facts,
                              const std::string& path, bool with_dig);

}  // namespace hikae::app
