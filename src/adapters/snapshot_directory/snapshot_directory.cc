#include "adapters/snapshot_directory/snapshot_directory.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <utility>

#include <fmt/format.h>

#include "adapters/snapshot_directory/rdb_files.h"
#include "control/offload.h"

namespace hikae::adapters {
namespace {

namespace fs = std::filesystem;

using control::Awaitable;
using control::BucketObject;
using control::offload;
using control::SnapshotFile;

Result<SnapshotFile> as_file(const Result<codec::rdb::Facts>& facts) {
  if (!facts) {
    return tl::unexpected(facts.error());
  }
  return SnapshotFile{facts->bytes, facts->used_memory, facts->format,
                      codec::rdb::checksum_text(facts->checksum)};
}

tl::unexpected<Error> failure(const std::error_code& error, const std::string& what) {
  return fail(ErrorCode::kDenied, fmt::format("{}: {}", what, error.message()));
}

Status make_private_directory(const std::string& path) {
  std::error_code error;
  const bool made = fs::create_directories(path, error);
  if (made && !error) {
    fs::permissions(path, fs::perms::owner_all, error);
  }
  return error ? Status(failure(error, "cannot make the directory " + path)) : Status();
}

bool is_safe_part(const std::string& part) {
  return !part.empty() && part != "." && part != ".." && part.find('/') == std::string::npos &&
         part.find('\0') == std::string::npos;
}

// Keys may have slashes; no part of one may lead out of the bucket.
bool is_safe_key(const std::string& key) {
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = key.find('/', begin);
    if (!is_safe_part(key.substr(begin, end == std::string::npos ? end : end - begin))) {
      return false;
    }
    if (end == std::string::npos) {
      return true;
    }
    begin = end + 1;
  }
}

}  // namespace

Result<std::unique_ptr<SnapshotDirectory>> SnapshotDirectory::open(Options options) {
  for (const std::string& path : {options.directory, options.buckets}) {
    if (path.empty()) {
      continue;
    }
    if (Status made = make_private_directory(path); !made) {
      return tl::unexpected(made.error());
    }
  }
  return std::unique_ptr<SnapshotDirectory>(new SnapshotDirectory(std::move(options)));
}

SnapshotDirectory::~SnapshotDirectory() {
  stop();
  pool_.join();
}

std::string SnapshotDirectory::path(const std::string& file) const {
  return options_.directory + "/" + file;
}

Awaitable<Result<SnapshotFile>> SnapshotDirectory::take_over(std::string path, std::string file) {
  std::function<Result<SnapshotFile>()> work = [this, from = std::move(path),
                                                to = this->path(file)] {
    return as_file(move_rdb(from, to, stop_));
  };
  co_return co_await offload(pool_, std::move(work));
}

Awaitable<Result<SnapshotFile>> SnapshotDirectory::check(std::string file) {
  std::function<Result<SnapshotFile>()> work = [this, at = path(file)] {
    return as_file(check_rdb(at, stop_));
  };
  co_return co_await offload(pool_, std::move(work));
}

Awaitable<Result<SnapshotFile>> SnapshotDirectory::copy(std::string from, std::string to) {
  std::function<Result<SnapshotFile>()> work = [this, source = path(from), target = path(to)] {
    return as_file(copy_rdb(source, target, stop_));
  };
  co_return co_await offload(pool_, std::move(work));
}

Awaitable<Result<SnapshotFile>> SnapshotDirectory::fetch(BucketObject object, std::string file) {
  std::function<Result<SnapshotFile>()> work = [this, object = std::move(object),
                                                to = path(file)]() -> Result<SnapshotFile> {
    const auto from = find(object);
    if (!from) {
      return tl::unexpected(from.error());
    }
    return as_file(copy_rdb(*from, to, stop_));
  };
  co_return co_await offload(pool_, std::move(work));
}

Awaitable<Status> SnapshotDirectory::put(std::string file, BucketObject object) {
  std::function<Status()> work = [this, file = std::move(file), object = std::move(object)] {
    return put_now(file, object);
  };
  co_return co_await offload(pool_, std::move(work));
}

Awaitable<Status> SnapshotDirectory::may_put(BucketObject object) {
  std::function<Status()> work = [this, object = std::move(object)] { return check_free(object); };
  co_return co_await offload(pool_, std::move(work));
}

Awaitable<Status> SnapshotDirectory::remove(std::string file) {
  std::function<Status()> work = [at = path(file)] {
    std::error_code error;
    fs::remove(at, error);
    return error ? Status(failure(error, "cannot remove " + at)) : Status();
  };
  co_return co_await offload(pool_, std::move(work));
}

Awaitable<Status> SnapshotDirectory::sweep(std::set<std::string> used, Duration age) {
  std::function<Status()> work = [this, used = std::move(used), age] {
    return sweep_now(used, age);
  };
  co_return co_await offload(pool_, std::move(work));
}

Result<std::string> SnapshotDirectory::find(const BucketObject& object) const {
  if (!is_safe_part(object.bucket) || !is_safe_key(object.key)) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{}/{} names no object of a bucket", object.bucket, object.key));
  }
  const std::string bucket = options_.buckets + "/" + object.bucket;
  std::error_code error;
  if (!fs::is_directory(bucket, error)) {
    return fail(ErrorCode::kNotFound, fmt::format("there is no bucket {}", object.bucket));
  }
  return bucket + "/" + object.key;
}

Status SnapshotDirectory::check_free(const BucketObject& object) const {
  const auto at = find(object);
  if (!at) {
    return tl::unexpected(at.error());
  }
  std::error_code error;
  if (fs::exists(fs::symlink_status(*at, error))) {
    return fail(ErrorCode::kConflict,
                fmt::format("bucket {} has an object {} already", object.bucket, object.key));
  }
  return {};
}

// What a run before this one has put there already is not put again.
Status SnapshotDirectory::put_now(const std::string& file, const BucketObject& object) const {
  const auto to = find(object);
  if (!to) {
    return tl::unexpected(to.error());
  }
  if (Status free = check_free(object); !free) {
    const auto there = check_rdb(*to, stop_);
    const auto ours = check_rdb(path(file), stop_);
    return there && ours && *there == *ours ? Status() : free;
  }
  std::error_code error;
  fs::create_directories(fs::path(*to).parent_path(), error);
  const auto copied = copy_rdb(path(file), *to, stop_);
  return copied ? Status() : Status(tl::unexpected(copied.error()));
}

Status SnapshotDirectory::sweep_now(const std::set<std::string>& used, Duration age) const {
  std::error_code error;
  std::vector<fs::path> old;
  for (const auto& entry : fs::directory_iterator(options_.directory, error)) {
    std::error_code unreadable;
    const auto idle = fs::file_time_type::clock::now() - entry.last_write_time(unreadable);
    if (!unreadable && idle >= age && !used.contains(entry.path().filename().string())) {
      old.push_back(entry.path());
    }
  }
  for (const fs::path& path : old) {
    std::error_code left;
    fs::remove(path, left);
    error = left ? left : error;
  }
  return error ? Status(failure(error, "cannot clean " + options_.directory)) : Status();
}

}  // namespace hikae::adapters
