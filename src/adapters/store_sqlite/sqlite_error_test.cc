#include "adapters/store_sqlite/sqlite_error.h"

#include <sqlite3.h>

#include <gtest/gtest.h>

namespace hikae::adapters {
namespace {

TEST(SqliteError, SaysWhetherToRetryAndWhatToDo) {
  const Error full = sqlite_error(SQLITE_FULL, "database or disk is full", "/d/state.db");
  EXPECT_EQ(full.code, ErrorCode::kExhausted);
  EXPECT_EQ(full.message,
            "database /d/state.db: database or disk is full; free space on its file system");
  EXPECT_EQ(sqlite_error(SQLITE_READONLY, "", "").code, ErrorCode::kDenied);
  EXPECT_EQ(sqlite_error(SQLITE_BUSY, "", "").code, ErrorCode::kUnavailable);
  EXPECT_EQ(sqlite_error(SQLITE_IOERR_FSYNC, "", "").code, ErrorCode::kTimeout);
  EXPECT_EQ(sqlite_error(SQLITE_CORRUPT, "", "").code, ErrorCode::kInvalid);
  EXPECT_EQ(sqlite_error(SQLITE_MISUSE, "", "").code, ErrorCode::kInternal);
}

}  // namespace
}  // namespace hikae::adapters
