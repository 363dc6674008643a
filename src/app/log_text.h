#pragma once

#include <string>

#include "control/log_ports.h"

namespace hikae::app {

// The line of an entry or of the engine's log, in the form that the customer wants (AWS User Guide,
// "Log entry format").
std::string slow_log_line(const control::SlowEntry& entry, const core::NodeKey& node,
                          const std::string& format);
std::string engine_log_line(const std::string& line, const core::NodeKey& node,
                            const std::string& format);

}  // namespace hikae::app
