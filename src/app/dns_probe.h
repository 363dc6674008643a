#pragma once

#include <string>

#include "app/config.h"

namespace hikae::app {

// Whether a name server at that address answers a question about `domain` in time, whatever it
// says.
bool dns_answers(const SocketAddress& address, const std::string& domain, int timeout_ms);

}  // namespace hikae::app
