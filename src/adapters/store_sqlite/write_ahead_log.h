#pragma once

#include <string>

struct sqlite3;

namespace hikae::adapters {

// Keeps the write-ahead log of a database ready for quick commits, in place of SQLite's automatic
// checkpoints: those run inside a commit, and wait for the disk several times.
//
// - The file is as long as it will be. A commit then overwrites, and what it waits for is written
//   without the file system's journal: in half the time, and its slowest in a fifth.
// - What it holds is copied to the database between commits.
//
// Used on one thread, while the database is open.
class WriteAheadLog {
 public:
  // In pages of 4 KiB.
  struct Limits {
    int length = 2'000;  // of the file
    int many = 1'000;    // worth copying when there is time
    int full = 20'000;   // copied now, time or not: the loss of a zone writes a few thousand
  };

  // `path` of the database.
  WriteAheadLog(sqlite3* database, const std::string& path, Limits limits);
  ~WriteAheadLog();
  WriteAheadLog(const WriteAheadLog&) = delete;
  WriteAheadLog& operator=(const WriteAheadLog&) = delete;

  // Whether there is something for tidy() to do; whether that cannot wait for a quiet moment.
  bool is_untidy() const { return short_ || pages_ >= limits_.many; }
  bool is_full() const { return pages_ >= limits_.full; }
  // What fails costs time alone, and is tried again after the next commit.
  void tidy();

 private:
  static int committed(void* self, sqlite3* database, const char* name, int pages);
  void copy_to_database();
  void lengthen();

  sqlite3* database_;
  std::string path_;
  Limits limits_;
  int pages_ = 0;  // written since the log began anew
  bool short_ = true;
};

}  // namespace hikae::adapters
