#include "adapters/store_sqlite/write_ahead_log.h"

#include <filesystem>
#include <string>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <gtest/gtest.h>

#include "base/testing/temporary_directory.h"

namespace hikae::adapters {
namespace {

constexpr int kLength = 200;

class WriteAheadLogTest : public ::testing::Test {
 protected:
  WriteAheadLogTest() {
    database.exec("PRAGMA journal_mode=WAL");
    database.exec("CREATE TABLE numbers (number INTEGER PRIMARY KEY, filler TEXT)");
  }

  void add(int number) {
    SQLite::Statement add(database, "INSERT INTO numbers VALUES (?, ?)");
    add.bind(1, number);
    add.bind(2, std::string(3000, 'x'));
    add.exec();
  }
  // What a start after a crash finds: the files as they are now.
  int count_after_crash() const {
    const TemporaryDirectory copy;
    for (const char* name : {"/db", "/db-wal"}) {
      std::filesystem::copy_file(directory.path() + name, copy.path() + name);
    }
    SQLite::Database other(copy.path() + "/db");
    return other.execAndGet("SELECT count(*) FROM numbers").getInt();
  }
  std::uintmax_t length() const { return std::filesystem::file_size(directory.path() + "/db-wal"); }
  std::uintmax_t database_length() const {
    return std::filesystem::file_size(directory.path() + "/db");
  }

  TemporaryDirectory directory;
  SQLite::Database database{directory.path() + "/db", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
  WriteAheadLog log{database.getHandle(),
                    directory.path() + "/db",
                    {.length = kLength, .many = 100, .full = 180}};
};

TEST_F(WriteAheadLogTest, IsMadeLongOnceAndThenOverwritten) {
  add(1);
  EXPECT_TRUE(log.is_untidy());
  const auto before = length();
  log.tidy();
  const auto after = length();
  EXPECT_GT(after, before);
  EXPECT_GE(after, std::uintmax_t(kLength) * 4096);
  EXPECT_FALSE(log.is_untidy());
  EXPECT_EQ(count_after_crash(), 1);
  add(2);
  add(3);
  EXPECT_EQ(length(), after);
  EXPECT_EQ(count_after_crash(), 3);
}

TEST_F(WriteAheadLogTest, IsCopiedBetweenCommitsAndNeverInOne) {
  log.tidy();
  int number = 0;
  while (!log.is_full()) {
    add(++number);
    ASSERT_LT(number, kLength) << "never full";
  }
  const auto before = database_length();
  add(++number);
  EXPECT_EQ(database_length(), before) << "a commit has written to the database itself";
  log.tidy();
  EXPECT_GT(database_length(), before);
  EXPECT_FALSE(log.is_untidy());
  EXPECT_EQ(count_after_crash(), number);
  const auto full = length();
  add(++number);
  EXPECT_FALSE(log.is_full());
  EXPECT_EQ(length(), full) << "it did not begin anew";
  EXPECT_EQ(count_after_crash(), number);
}

TEST_F(WriteAheadLogTest, WaitsForAReaderAndTriesAgain) {
  log.tidy();
  int number = 0;
  add(++number);
  SQLite::Database reader(directory.path() + "/db", SQLite::OPEN_READONLY);
  reader.exec("BEGIN");
  reader.execAndGet("SELECT count(*) FROM numbers");
  while (!log.is_full()) {
    add(++number);
  }
  log.tidy();
  EXPECT_TRUE(log.is_full()) << "it was copied under a reader of what it held before";
  reader.exec("COMMIT");
  log.tidy();
  EXPECT_FALSE(log.is_untidy());
  EXPECT_EQ(count_after_crash(), number);
}

}  // namespace
}  // namespace hikae::adapters
