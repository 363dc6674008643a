#include "adapters/system/files.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/descriptor.h"

namespace hikae::adapters {
namespace {

tl::unexpected<Error> failure(int error, std::string_view what, const std::string& path) {
  ErrorCode code = ErrorCode::kInternal;
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      code = ErrorCode::kNotFound;
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      code = ErrorCode::kDenied;
      break;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
      code = ErrorCode::kExhausted;
      break;
    default:
      break;
  }
  return fail(code, fmt::format("{} cannot be {}: {}", path, what, std::strerror(error)));
}

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      return false;
    }
    content.remove_prefix(std::size_t(written));
  }
  return true;
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t most) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    return failure(errno, "read", path);
  }
  std::string content;
  char buffer[65536];
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return failure(errno, "read", path);
    }
    if (got == 0) {
      return content;
    }
    content.append(buffer, std::size_t(got));
    if (content.size() > most) {
      return fail(ErrorCode::kExhausted, fmt::format("{} is larger than {} bytes", path, most));
    }
  }
}

Status write_file(const std::string& path, std::string_view content, mode_t mode) {
  const std::string temporary = fmt::format("{}.new.{}", path, ::getpid());
  const Descriptor file(
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
  if (file.get() < 0) {
    return failure(errno, "written", temporary);
  }
  // fchmod, because umask takes bits away from open's mode and an older file may have others.
  const bool stored = ::fchmod(file.get(), mode) == 0 && write_all(file.get(), content) &&
                      ::fsync(file.get()) == 0 && ::rename(temporary.c_str(), path.c_str()) == 0;
  if (!stored) {
    const int error = errno;
    ::unlink(temporary.c_str());
    return failure(error, "written", path);
  }
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const Descriptor directory(
      ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) {
    return failure(errno, "made durable", path);
  }
  return {};
}

Status make_directory(const std::string& path, mode_t mode) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!parent.empty() && !std::filesystem::exists(parent, error)) {
    if (Status made = make_directory(parent.string(), mode); !made) {
      return made;
    }
  }
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
    return failure(errno, "made", path);
  }
  if (!std::filesystem::is_directory(path, error)) {
    return fail(ErrorCode::kInvalid, path + " is not a directory");
  }
  return {};
}

}  // namespace hikae::adapters
