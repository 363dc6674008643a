#pragma once

#include <string>

#include "app/config.h"

namespace hikae::app {

// `hikae store export FILE`: the region as one file. Works while the region is served. With
// `with_secrets` the file holds the secret and the access key too. Answers the exit code.
int run_store_export(const ServeConfig& config, const std::string& file, bool with_secrets);

// `hikae store import FILE`: fills an empty store with the region. Never overwrites one.
int run_store_import(const ServeConfig& config, const std::string& file);

}  // namespace hikae::app
