#pragma once

#include <string>

#include "base/result.h"

namespace hikae::app {

// The CA of the region's nodes, as PEM, which serve leaves in `<data>/ca.pem`: clients of encrypted
// caches trust by it. Nothing in it is secret.
std::string ca_path(const std::string& data_directory);  // absolute
Status keep_ca(const std::string& data_directory, const std::string& certificate);

// `hikae ca`: prints it and answers the exit code.
int run_ca(const std::string& data_directory);

}  // namespace hikae::app
