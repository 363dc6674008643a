#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "adapters/s3_buckets/s3_client.h"
#include "control/snapshot_ports.h"

namespace hikae::s3 {

// Snapshots whose files lie in a directory, as `local` has it, and whose buckets are those of an
// S3-compatible server. Large objects are put in parts and read in pieces: what is in memory is a
// part at most. All of it is done on a thread of its own.
class S3Snapshots final : public control::SnapshotFiles {
 public:
  struct Options {
    S3Options server;
    // Larger objects are put in parts of this size, or of a greater one where there would be too
    // many. S3 wants at least 5 MiB.
    std::size_t part_bytes = 8 * 1024 * 1024;
  };
  // `local` and `clock` must outlive it.
  S3Snapshots(Options options, control::SnapshotFiles& local, const control::Clock& clock);
  ~S3Snapshots();

  // Ends what is under way early, with kUnavailable. From any thread.
  void stop();

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
  std::string path(const std::string& file) const override { return local_.path(file); }

 private:
  class Session;

  // On the thread.
  control::Awaitable<Result<control::SnapshotFile>> fetch_now(control::BucketObject object,
                                                              std::string file);
  control::Awaitable<Status> put_now(std::string file, control::BucketObject object);
  control::Awaitable<Status> may_put_now(control::BucketObject object);
  // kConflict: the object is there.
  control::Awaitable<Status> look_for(Session& session, control::BucketObject object);
  control::Awaitable<Status> put_whole(Session& session, control::BucketObject object, int fd,
                                       control::SnapshotFile file);
  control::Awaitable<Status> put_parts(Session& session, control::BucketObject object, int fd,
                                       control::SnapshotFile file);
  control::Awaitable<Status> put_parts_of(Session& session, codec::s3::Call upload, int fd,
                                          std::uint64_t bytes);
  // Whether the object is what a run before this one has put there.
  control::Awaitable<bool> is_ours(Session& session, control::BucketObject object,
                                   control::SnapshotFile file);

  Options options_;
  control::SnapshotFiles& local_;
  const control::Clock& clock_;
  std::atomic<bool> stop_ = false;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::set<Session*> sessions_;  // of the thread alone
  std::thread thread_;
};

}  // namespace hikae::s3
