#pragma once

#include <cstdint>
#include <string>

namespace hikae::adapters {

// This machine's name, and its memory in bytes; empty and 0 when they cannot be read.
std::string machine_name();
std::uint64_t machine_memory();

}  // namespace hikae::adapters
