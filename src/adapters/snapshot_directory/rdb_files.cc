#include "adapters/snapshot_directory/rdb_files.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/descriptor.h"

namespace hikae::adapters {
namespace {

using codec::rdb::Facts;

constexpr std::size_t kPiece = 1024 * 1024;

tl::unexpected<Error> failure(int error, std::string_view what, const std::string& path) {
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  const bool forbidden = error == EACCES || error == EPERM || error == EROFS;
  const ErrorCode code = full               ? ErrorCode::kExhausted
                         : error == ENOENT  ? ErrorCode::kNotFound
                         : error == ENOTDIR ? ErrorCode::kNotFound
                         : forbidden        ? ErrorCode::kDenied
                                            : ErrorCode::kInternal;
  return fail(code, fmt::format("{} cannot be {}: {}", path, what, std::strerror(error)));
}

// An engine's directory belongs to its user: what lies there may be anything.
Result<Descriptor> open_regular(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) {
    return failure(errno, "read", path);
  }
  struct stat info{};
  if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return fail(ErrorCode::kInvalid, path + " is no regular file");
  }
  return file;
}

Status sync_directory_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const Descriptor directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) {
    return failure(errno, "made durable", path);
  }
  return {};
}

using Sink = std::function<Status(std::string_view)>;

Result<Facts> read_all(int fd, const std::string& path, const std::atomic<bool>& stop,
                       const Sink& sink) {
  codec::rdb::Verifier verifier;
  std::vector<char> buffer(kPiece);
  for (;;) {
    if (stop) {
      return fail(ErrorCode::kUnavailable, "the program ends");
    }
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return failure(errno, "read", path);
    }
    if (got == 0) {
      break;
    }
    const std::string_view piece(buffer.data(), std::size_t(got));
    verifier.feed(piece);
    if (sink) {
      if (Status written = sink(piece); !written) {
        return tl::unexpected(written.error());
      }
    }
  }
  auto facts = verifier.finish();
  if (!facts) {
    facts.error().message = fmt::format("{}: {}", path, facts.error().message);
  }
  return facts;
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

// The last steps of every file: durable, then under its name.
Status put_in_place(int fd, const std::string& unfinished, const std::string& to) {
  if (::fsync(fd) != 0 || ::rename(unfinished.c_str(), to.c_str()) != 0) {
    return failure(errno, "written", to);
  }
  return sync_directory_of(to);
}

Result<Facts> finish_moved(const std::string& unfinished, const std::string& to,
                           const std::atomic<bool>& stop) {
  const auto file = open_regular(unfinished);
  if (!file) {
    return tl::unexpected(file.error());
  }
  // It was the engine's user's until now.
  if (::fchown(file->get(), ::geteuid(), ::getegid()) != 0 || ::fchmod(file->get(), 0600) != 0) {
    return failure(errno, "taken over", unfinished);
  }
  auto facts = read_all(file->get(), unfinished, stop, {});
  if (facts) {
    if (Status placed = put_in_place(file->get(), unfinished, to); !placed) {
      return tl::unexpected(placed.error());
    }
  }
  return facts;
}

Result<Facts> copy_open(int from, const std::string& name, const std::string& unfinished,
                        const std::string& to, const std::atomic<bool>& stop) {
  const Descriptor out(
      ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (out.get() < 0) {
    return failure(errno, "written", unfinished);
  }
  const int target = out.get();
  auto facts = read_all(from, name, stop, [target, &to](std::string_view piece) {
    return write_all(target, piece, to);
  });
  if (facts) {
    if (Status placed = put_in_place(target, unfinished, to); !placed) {
      return tl::unexpected(placed.error());
    }
  }
  return facts;
}

}  // namespace

Result<Facts> check_rdb(const std::string& path, const std::atomic<bool>& stop) {
  const auto file = open_regular(path);
  if (!file) {
    return tl::unexpected(file.error());
  }
  return read_all(file->get(), path, stop, {});
}

Result<Facts> copy_rdb(const std::string& from, const std::string& to,
                       const std::atomic<bool>& stop) {
  const auto file = open_regular(from);
  if (!file) {
    return tl::unexpected(file.error());
  }
  const std::string unfinished = to + kUnfinished;
  auto facts = copy_open(file->get(), from, unfinished, to, stop);
  if (!facts) {
    ::unlink(unfinished.c_str());
  }
  return facts;
}

Result<Facts> move_rdb(const std::string& from, const std::string& to,
                       const std::atomic<bool>& stop) {
  const std::string unfinished = to + kUnfinished;
  if (::rename(from.c_str(), unfinished.c_str()) == 0) {
    auto facts = finish_moved(unfinished, to, stop);
    if (!facts) {
      ::unlink(unfinished.c_str());
    }
    return facts;
  }
  if (errno != EXDEV) {
    return failure(errno, "taken over", from);
  }
  auto facts = copy_rdb(from, to, stop);
  ::unlink(from.c_str());
  return facts;
}

}  // namespace hikae::adapters
