#include "adapters/store_sqlite/write_ahead_log.h"

#include <algorithm>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace hikae::adapters {
namespace {

constexpr off_t kHeader = 32;  // https://www.sqlite.org/fileformat2.html#walformat
constexpr off_t kPageWithHeader = 4096 + 24;
constexpr off_t kBlock = 256 * 1024;

// Zeros are no valid frames: SQLite ends there when it reads the log, as at frames of before.
bool write_zeros(int file, off_t from, off_t to) {
  const std::vector<char> zeros(kBlock);
  while (from < to) {
    const ssize_t written =
        ::pwrite(file, zeros.data(), std::size_t(std::min(kBlock, to - from)), from);
    if (written <= 0) {
      return false;
    }
    from += written;
  }
  return ::fdatasync(file) == 0;
}

}  // namespace

WriteAheadLog::WriteAheadLog(sqlite3* database, const std::string& path, Limits limits)
    : database_(database), path_(path + "-wal"), limits_(limits) {
  ::sqlite3_wal_hook(database_, &WriteAheadLog::committed, this);
}

WriteAheadLog::~WriteAheadLog() {
  ::sqlite3_wal_hook(database_, nullptr, nullptr);
}

int WriteAheadLog::committed(void* self, sqlite3*, const char*, int pages) {
  static_cast<WriteAheadLog*>(self)->pages_ = pages;
  return SQLITE_OK;
}

void WriteAheadLog::tidy() {
  if (pages_ >= limits_.many) {
    copy_to_database();
  }
  if (short_) {
    lengthen();
  }
}

// The next commit begins at the start of the log again when everything was copied.
void WriteAheadLog::copy_to_database() {
  int pages = 0;
  int copied = 0;
  const int result =
      ::sqlite3_wal_checkpoint_v2(database_, nullptr, SQLITE_CHECKPOINT_PASSIVE, &pages, &copied);
  pages_ = result == SQLITE_OK && copied == pages ? 0 : pages_;
}

void WriteAheadLog::lengthen() {
  // No lock is lost by closing this file: SQLite has its locks on others.
  const int file = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) {
    return;
  }
  const off_t length = kHeader + limits_.length * kPageWithHeader;
  struct stat info = {};
  if (::fstat(file, &info) == 0) {
    short_ = info.st_size < length && !write_zeros(file, info.st_size, length);
    // A disk that has no room for zeros has better use for what they took of it.
    [[maybe_unused]] const int given_back = short_ ? ::ftruncate(file, info.st_size) : 0;
  }
  ::close(file);
}

}  // namespace hikae::adapters
