#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <string>

#include <boost/asio/thread_pool.hpp>

#include "control/snapshot_ports.h"

namespace hikae::adapters {

// Snapshots as files of one directory, and buckets as directories beside each other:
// `<buckets>/<bucket>/<key>`. A bucket is there when its directory is; it is not made. All work is
// done on threads of its own.
class SnapshotDirectory final : public control::SnapshotFiles {
 public:
  struct Options {
    std::string directory;  // made when it is missing
    std::string buckets;    // likewise; empty: there are none
  };
  static Result<std::unique_ptr<SnapshotDirectory>> open(Options options);
  ~SnapshotDirectory();

  // Ends what is under way early, with kUnavailable. From any thread.
  void stop() { stop_ = true; }

  control::Awaitable<Result<control::SnapshotFile>> take_over(std::string path,
                                                              std::string file) override;
  control::Awaitable<Result<control::SnapshotFile>> check(std::string file) override;
  control::Awaitable<Result<control::SnapshotFile>> copy(std::string from, std::string to) override;
  control::Awaitable<Result<control::SnapshotFile>> fetch(control::BucketObject object,
                                                          std::string file) override;
  control::Awaitable<Status> put(std::string file, control::BucketObject object) override;
  control::Awaitable<Status> may_put(control::BucketObject object) override;
  control::Awaitable<Status> remove(std::string file) override;
  control::Awaitable<Status> sweep(std::set<std::string> used, Duration age) override;
  std::string path(const std::string& file) const override;

 private:
  explicit SnapshotDirectory(Options options) : options_(std::move(options)) {}
  // Where the object lies; kInvalid for names that would lead elsewhere, kNotFound without bucket.
  Result<std::string> find(const control::BucketObject& object) const;
  Status check_free(const control::BucketObject& object) const;
  Status put_now(const std::string& file, const control::BucketObject& object) const;
  Status sweep_now(const std::set<std::string>& used, Duration age) const;

  Options options_;
  std::atomic<bool> stop_ = false;
  // One file at a time would let a small one wait for a large one.
  boost::asio::thread_pool pool_{2};
};

}  // namespace hikae::adapters
