#include "adapters/s3_buckets/s3_snapshots.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "base/descriptor.h"
#include "codec/text/encoding.h"

namespace hikae::s3 {
namespace {

using codec::s3::Call;
using control::Awaitable;
using control::BucketObject;
using control::SnapshotFile;

constexpr std::uint64_t kMostParts = 10'000;  // of S3
// By it a run after this one knows what this one has put: the checksum of the RDB file.
constexpr const char* kChecksumHeader = "x-amz-meta-hikae-checksum";
constexpr const char* kFetched = ".fetched.tmp";

tl::unexpected<Error> failure(int error, std::string_view what, const std::string& path) {
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  return fail(full ? ErrorCode::kExhausted : ErrorCode::kInternal,
              fmt::format("{} cannot be {}: {}", path, what, std::strerror(error)));
}

Result<std::string> read_part(int fd, std::uint64_t offset, std::size_t bytes) {
  std::string out(bytes, '\0');
  std::size_t got = 0;
  while (got < bytes) {
    const ssize_t some = ::pread(fd, out.data() + got, bytes - got, off_t(offset + got));
    if (some < 0 && errno == EINTR) {
      continue;
    }
    if (some <= 0) {
      return failure(some == 0 ? EIO : errno, "read", "the snapshot's file");
    }
    got += std::size_t(some);
  }
  return out;
}

Status write_all(int fd, std::string_view piece, const std::string& path) {
  while (!piece.empty()) {
    const ssize_t written = ::write(fd, piece.data(), piece.size());
    if (written < 0 && errno != EINTR) {
      return failure(errno, "written", path);
    }
    piece.remove_prefix(std::size_t(written < 0 ? 0 : written));
  }
  return {};
}

Status check_name(const BucketObject& object) {
  return codec::s3::is_possible_name(object.bucket, object.key)
             ? Status()
             : Status(fail(ErrorCode::kInvalid, fmt::format("{}/{} names no object of a bucket",
                                                            object.bucket, object.key)));
}

Call call_of(std::string method, const BucketObject& object) {
  Call call;
  call.method = std::move(method);
  call.bucket = object.bucket;
  call.key = object.key;
  return call;
}

}  // namespace

// A client that stop() knows of.
class S3Snapshots::Session : public S3Client {
 public:
  explicit Session(S3Snapshots& owner)
      : S3Client(owner.options_.server, owner.clock_, owner.stop_), owner_(owner) {
    owner_.sessions_.insert(this);
  }
  ~Session() { owner_.sessions_.erase(this); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

 private:
  S3Snapshots& owner_;
};

S3Snapshots::S3Snapshots(Options options, control::SnapshotFiles& local,
                         const control::Clock& clock)
    : options_(std::move(options)),
      local_(local),
      clock_(clock),
      work_(boost::asio::make_work_guard(context_)),
      thread_([this] { context_.run(); }) {}

S3Snapshots::~S3Snapshots() {
  stop();
  work_.reset();
  thread_.join();
}

void S3Snapshots::stop() {
  stop_ = true;
  boost::asio::post(context_, [this] {
    for (Session* session : sessions_) {
      session->close();
    }
  });
}

Awaitable<Result<SnapshotFile>> S3Snapshots::take_over(std::string path, std::string file) {
  return local_.take_over(std::move(path), std::move(file));
}
Awaitable<Result<SnapshotFile>> S3Snapshots::check(std::string file) {
  return local_.check(std::move(file));
}
Awaitable<Result<SnapshotFile>> S3Snapshots::copy(std::string from, std::string to) {
  return local_.copy(std::move(from), std::move(to));
}
Awaitable<Status> S3Snapshots::remove(std::string file) {
  return local_.remove(std::move(file));
}
Awaitable<Status> S3Snapshots::sweep(std::set<std::string> used, Duration age) {
  return local_.sweep(std::move(used), age);
}

Awaitable<Result<SnapshotFile>> S3Snapshots::fetch(BucketObject object, std::string file) {
  auto work = fetch_now(std::move(object), std::move(file));
  co_return co_await boost::asio::co_spawn(context_, std::move(work), boost::asio::use_awaitable);
}

Awaitable<Status> S3Snapshots::put(std::string file, BucketObject object) {
  auto work = put_now(std::move(file), std::move(object));
  co_return co_await boost::asio::co_spawn(context_, std::move(work), boost::asio::use_awaitable);
}

Awaitable<Status> S3Snapshots::may_put(BucketObject object) {
  auto work = may_put_now(std::move(object));
  co_return co_await boost::asio::co_spawn(context_, std::move(work), boost::asio::use_awaitable);
}

// Into a file beside the snapshots, which is then checked and taken over like that of an engine.
Awaitable<Result<SnapshotFile>> S3Snapshots::fetch_now(BucketObject object, std::string file) {
  if (Status possible = check_name(object); !possible) {
    co_return tl::unexpected(possible.error());
  }
  const std::string at = local_.path(file) + kFetched;
  const Descriptor out(
      ::open(at.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (out.get() < 0) {
    co_return failure(errno, "written", at);
  }
  Session session(*this);
  S3Client::Begin begin = [&] {
    const bool empty = ::ftruncate(out.get(), 0) == 0 && ::lseek(out.get(), 0, SEEK_SET) == 0;
    return empty ? Status() : Status(failure(errno, "written", at));
  };
  S3Client::Sink sink = [&](std::string_view piece) { return write_all(out.get(), piece, at); };
  Call call = call_of("GET", object);
  const Status fetched = co_await session.fetch(std::move(call), std::move(begin), std::move(sink));
  if (!fetched) {
    ::unlink(at.c_str());
    co_return tl::unexpected(fetched.error());
  }
  std::string from = at;
  co_return co_await local_.take_over(std::move(from), std::move(file));
}

Awaitable<Status> S3Snapshots::may_put_now(BucketObject object) {
  if (Status possible = check_name(object); !possible) {
    co_return possible;
  }
  Session session(*this);
  co_return co_await look_for(session, std::move(object));
}

// A list, because its failures say whether it is the bucket that is missing.
Awaitable<Status> S3Snapshots::look_for(Session& session, BucketObject object) {
  Call call;
  call.bucket = object.bucket;
  call.query = "list-type=2&max-keys=1&prefix=" + codec::percent_encode(object.key);
  const auto listed = co_await session.send(std::move(call));
  if (!listed) {
    co_return tl::unexpected(listed.error());
  }
  if (codec::s3::element(listed->body, "Key") == object.key) {
    co_return fail(ErrorCode::kConflict,
                   fmt::format("bucket {} has an object {} already", object.bucket, object.key));
  }
  co_return Status();
}

Awaitable<bool> S3Snapshots::is_ours(Session& session, BucketObject object, SnapshotFile file) {
  Call call = call_of("GET", object);
  call.headers = {{"Range", "bytes=0-0"}};
  const auto first = co_await session.send(std::move(call));
  const bool same = first && first->header(kChecksumHeader) == file.checksum;
  co_return same;
}

// Read as a whole first: what is not whole is not handed out.
Awaitable<Status> S3Snapshots::put_now(std::string file, BucketObject object) {
  if (Status possible = check_name(object); !possible) {
    co_return possible;
  }
  std::string name = file;
  const auto ours = co_await local_.check(std::move(name));
  if (!ours) {
    co_return tl::unexpected(ours.error());
  }
  Session session(*this);
  BucketObject wanted = object;
  const Status free = co_await look_for(session, std::move(wanted));
  if (!free && free.error().code == ErrorCode::kConflict) {
    const bool done = co_await is_ours(session, std::move(object), *ours);
    co_return done ? Status() : free;
  }
  if (!free) {
    co_return free;
  }
  const std::string at = local_.path(file);
  const Descriptor in(::open(at.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (in.get() < 0) {
    co_return failure(errno, "read", at);
  }
  if (ours->bytes <= options_.part_bytes) {
    co_return co_await put_whole(session, std::move(object), in.get(), *ours);
  }
  co_return co_await put_parts(session, std::move(object), in.get(), *ours);
}

Awaitable<Status> S3Snapshots::put_whole(Session& session, BucketObject object, int fd,
                                         SnapshotFile file) {
  auto bytes = read_part(fd, 0, std::size_t(file.bytes));
  if (!bytes) {
    co_return tl::unexpected(bytes.error());
  }
  Call call = call_of("PUT", object);
  call.headers = {{kChecksumHeader, file.checksum}};
  call.body = std::move(*bytes);
  const auto put = co_await session.send(std::move(call));
  co_return put ? Status() : Status(tl::unexpected(put.error()));
}

// Until it is completed there is no object; what was begun and failed is given up.
Awaitable<Status> S3Snapshots::put_parts(Session& session, BucketObject object, int fd,
                                         SnapshotFile file) {
  Call begin = call_of("POST", object);
  begin.query = "uploads=";
  begin.headers = {{kChecksumHeader, file.checksum}};
  const auto begun = co_await session.send(std::move(begin));
  if (!begun) {
    co_return tl::unexpected(begun.error());
  }
  const std::string id = codec::s3::element(begun->body, "UploadId").value_or("");
  if (id.empty()) {
    co_return fail(ErrorCode::kInvalid, "S3 began an upload and did not tell its name");
  }
  Call upload = call_of("POST", object);
  upload.query = "uploadId=" + codec::percent_encode(id);
  Call abort = upload;
  abort.method = "DELETE";
  const Status done = co_await put_parts_of(session, std::move(upload), fd, file.bytes);
  // It may have been completed although nobody told us.
  if (done) {
    co_return done;
  }
  const bool there = co_await is_ours(session, std::move(object), file);
  if (there) {
    co_return Status();
  }
  co_await session.send(std::move(abort));
  co_return done;
}

Awaitable<Status> S3Snapshots::put_parts_of(Session& session, Call upload, int fd,
                                            std::uint64_t bytes) {
  const std::uint64_t size =
      std::max<std::uint64_t>(options_.part_bytes, (bytes + kMostParts - 1) / kMostParts);
  std::vector<std::string> tags;
  for (std::uint64_t offset = 0; offset < bytes; offset += size) {
    auto part = read_part(fd, offset, std::size_t(std::min(size, bytes - offset)));
    if (!part) {
      co_return tl::unexpected(part.error());
    }
    Call call = upload;
    call.method = "PUT";
    call.query = fmt::format("partNumber={}&{}", tags.size() + 1, upload.query);
    call.body = std::move(*part);
    const auto put = co_await session.send(std::move(call));
    if (!put) {
      co_return tl::unexpected(put.error());
    }
    tags.push_back(put->header("ETag"));
  }
  upload.body = codec::s3::complete_upload(tags);
  const auto completed = co_await session.send(std::move(upload));
  co_return completed ? Status() : Status(tl::unexpected(completed.error()));
}

}  // namespace hikae::s3
