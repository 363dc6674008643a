#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace hikae::adapters {

// What a result code of SQLite (https://www.sqlite.org/rescode.html) means for the caller, with
// what to do about it.
Error sqlite_error(int code, std::string_view message, const std::string& path);

}  // namespace hikae::adapters
