#pragma once

#include <string>

#include "app/config.h"
#include "app/private_files.h"
#include "base/result.h"

namespace hikae::app {

inline constexpr const char* kNamesPath = "/_hikae/names";

// Starts a process that keeps `hosts` (a private /etc/hosts, made of `original` and the region's
// names) up to date until the calling process ends, also after that one has become another program.
// It is no child of the caller, so that a program that waits for its children never meets it.
Status start_name_keeper(PrivateFile hosts, std::string original, SocketAddress api);

}  // namespace hikae::app
