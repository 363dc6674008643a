#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "control/ports.h"

// What snapshots need of the world, beside ports.h.

namespace hikae::control {

// A file of the region's snapshot directory: durable, and read as a whole to check it.
struct SnapshotFile {
  std::uint64_t bytes = 0;
  std::uint64_t used_memory = 0;  // what its data took in the engine that wrote it; 0: unknown
  int format = 0;                 // of RDB
  std::string checksum;
};

// An object in a bucket.
struct BucketObject {
  std::string bucket;
  std::string key;
};

// The region's snapshot directory and its buckets. A file appears under its name whole and durable,
// or not at all. Methods may be called from any thread's executor and answer on it; all but remove
// and sweep read every byte, which takes about a second for each gigabyte. kExhausted: the disk is
// full. kInvalid: it is no whole RDB file; says why. kUnavailable: stopped.
class SnapshotFiles {
 public:
  // Takes the file at `path` over, which is gone from there afterwards, also when that failed.
  virtual Awaitable<Result<SnapshotFile>> take_over(std::string path, std::string file) = 0;
  // kNotFound: there is none of that name.
  virtual Awaitable<Result<SnapshotFile>> check(std::string file) = 0;
  virtual Awaitable<Result<SnapshotFile>> copy(std::string from, std::string to) = 0;
  // kNotFound: no such bucket, or no such object.
  virtual Awaitable<Result<SnapshotFile>> fetch(BucketObject object, std::string file) = 0;
  // kNotFound: no such bucket. kConflict: there is an object of that name already.
  virtual Awaitable<Status> put(std::string file, BucketObject object) = 0;
  // What put() would answer before it has begun.
  virtual Awaitable<Status> may_put(BucketObject object) = 0;
  // Success also when there is none.
  virtual Awaitable<Status> remove(std::string file) = 0;
  // Removes files that are not in `used` and have not been written to for `age`.
  virtual Awaitable<Status> sweep(std::set<std::string> used, Duration age) = 0;
  // Where a file of the directory lies.
  virtual std::string path(const std::string& file) const = 0;

 protected:
  ~SnapshotFiles() = default;
};

inline constexpr const char* kNoSnapshots =
    "its host sees no directory of snapshots; start the agent there with --snapshots";

// Makes an engine save its data to a file beside serving.
class DataSaver {
 public:
  enum class State { kSaving, kSaved, kFailed };
  // kConflict: it saves already, for whatever reason, or cannot just now; ask again later.
  virtual Awaitable<Status> begin(core::NodeAssignment assignment) = 0;
  // How the newest saving stands.
  virtual Awaitable<Result<State>> look(core::NodeAssignment assignment) = 0;
  // The file that it saves to.
  virtual std::string saved_file(const core::NodeAssignment& assignment) const = 0;

 protected:
  ~DataSaver() = default;
};

}  // namespace hikae::control
