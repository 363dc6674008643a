#pragma once

#include <string>
#include <vector>

namespace hikae::app {

// `hikae shell`: becomes the command (or $SHELL) in a mount namespace in which the region's
// endpoint names resolve, with the variables of `hikae env`. Where the machine forbids namespaces
// it says so and goes on with the variables and a dig that knows the way.
//
// Answers only when it could not start: 1, 126 (not executable) or 127 (no such program), as a
// shell would.
int run_shell(const std::string& data_directory, const std::vector<std::string>& command);

}  // namespace hikae::app
