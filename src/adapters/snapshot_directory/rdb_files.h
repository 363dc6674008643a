#pragma once

#include <atomic>
#include <string>

#include "base/result.h"
#include "codec/rdb/verifier.h"

namespace hikae::adapters {

// What is done with single RDB files. `stop` ends the long ones early, with kUnavailable.
// kExhausted: the disk is full; kInvalid: no whole RDB file.

// Reads the whole file.
Result<codec::rdb::Facts> check_rdb(const std::string& path, const std::atomic<bool>& stop);

// Makes a checked copy: `to` is there whole and durable, or not at all. Replaces what was there.
Result<codec::rdb::Facts> copy_rdb(const std::string& from, const std::string& to,
                                   const std::atomic<bool>& stop);

// The same, but `from` is gone afterwards. On one file system no byte is written twice.
Result<codec::rdb::Facts> move_rdb(const std::string& from, const std::string& to,
                                   const std::atomic<bool>& stop);

// The ending of files that are being written.
inline constexpr const char* kUnfinished = ".tmp";

}  // namespace hikae::adapters
