#include "adapters/store_sqlite/sqlite_error.h"

#include <sqlite3.h>

#include <fmt/format.h>

namespace hikae::adapters {

Error sqlite_error(int code, std::string_view message, const std::string& path) {
  const std::string what = fmt::format("database {}: {}", path, message);
  switch (code & 0xff) {  // the low byte of an extended code is the primary one
    case SQLITE_FULL:
      return Error{ErrorCode::kExhausted, what + "; free space on its file system"};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
      return Error{ErrorCode::kDenied,
                   what + "; check owner and permissions of the file and its directory"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Error{ErrorCode::kUnavailable, what + "; another program holds it"};
    case SQLITE_IOERR:
      // A commit may have reached the disk before its flush failed.
      return Error{ErrorCode::kTimeout,
                   what + "; check the disk and its limits. The change may have happened"};
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return Error{ErrorCode::kInvalid, what + "; restore it from a copy"};
    default:
      return Error{ErrorCode::kInternal, what};
  }
}

}  // namespace hikae::adapters
