#pragma once

#include <string>

#include "control/log_ports.h"

namespace hikae::adapters {

// As control::LogSource::read_lines(), and blocks for as long as the disk takes. At most
// kMostTailBytes at a time; a line that is longer is told in pieces.
Result<control::LogChunk> read_tail(const std::string& path, control::LogPlace place);

inline constexpr std::size_t kMostTailBytes = 64 * 1024;

}  // namespace hikae::adapters
