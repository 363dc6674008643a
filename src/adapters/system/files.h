#pragma once

#include <string>
#include <string_view>
#include <sys/types.h>

#include "base/result.h"

namespace hikae::adapters {

inline constexpr std::size_t kMaxFileBytes = 16 * 1024 * 1024;

// The whole file. kNotFound: there is none; kDenied; kExhausted: larger than `most` bytes. Works
// for files of /proc, whose size reads as 0.
Result<std::string> read_file(const std::string& path, std::size_t most = kMaxFileBytes);

// Replaces the file in one step and waits for the disk: after a crash there is the old content or
// the new one. The directory must exist.
Status write_file(const std::string& path, std::string_view content, mode_t mode);

// Makes the directory and missing parents with that mode; fine when it is there already.
Status make_directory(const std::string& path, mode_t mode);

}  // namespace hikae::adapters
