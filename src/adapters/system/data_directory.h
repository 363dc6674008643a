#pragma once

#include <optional>
#include <string>
#include <sys/types.h>

#include "base/random.h"
#include "base/result.h"

namespace hikae::adapters {

// An access key as AWS's tools know it.
struct Credentials {
  std::string access_key_id;      // `HKIA` and 16 letters and digits
  std::string secret_access_key;  // 40 characters
};

// All that a region keeps on disk:
//
//   lock         held by the one process that works on the region; holds its pid
//   secret       32 random bytes of the region, 0600
//   credentials  the access key, in the format of ~/.aws/credentials, 0600
//   state.db     the state (adapters/store_sqlite)
//   serve.json   where the running serve listens (app/runtime_facts.h)
//   nodes/       one directory for every engine process (adapters/process)
//   snapshots/   RDB files of snapshots (adapters/snapshot_directory)
//   buckets/     one directory for every bucket, unless another place is configured
//
// The lock lasts as long as the object, and ends with the process in any case.
class DataDirectory {
 public:
  // Makes the directory when it is missing and takes the lock. kConflict: another process has it;
  // the message names its pid.
  static Result<DataDirectory> open(const std::string& path);
  ~DataDirectory();
  DataDirectory(DataDirectory&& other) noexcept;
  DataDirectory& operator=(DataDirectory&& other) noexcept;

  const std::string& path() const { return path_; }  // absolute
  std::string state_path() const { return path_ + "/state.db"; }
  std::string nodes_path() const { return path_ + "/nodes"; }

  // Whether both of these are there already.
  bool has_identity() const;
  // Takes over those of a region that was made elsewhere. kConflict: others are there.
  Status adopt_identity(const std::string& secret, const Credentials& credentials) const;

  // Both are drawn at the first call in the region's life, then always the same.
  Result<std::string> region_secret(Random& random) const;
  Result<Credentials> credentials(Random& random) const;

 private:
  DataDirectory(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  std::string path_;
  int lock_ = -1;
};

// The path with which every part names the directory: absolute, without `..` and links as far as it
// exists.
std::string absolute_path(const std::string& path);

// The pid of the process that holds the lock of the directory, or nullopt when nobody does. Changes
// nothing. An unreadable pid is 0.
std::optional<pid_t> lock_holder(const std::string& data_directory);

// kNotFound: no region was ever served from that directory.
Result<Credentials> read_credentials(const std::string& data_directory);

}  // namespace hikae::adapters
