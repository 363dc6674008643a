#include "adapters/delivery/line_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/descriptor.h"
#include "control/offload.h"

namespace hikae::adapters {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFileMode = 0600;

tl::unexpected<Error> failed(const std::string& path, const char* what) {
  const int error = errno;
  const ErrorCode code = error == ENOSPC || error == EDQUOT  ? ErrorCode::kExhausted
                         : error == EACCES || error == EROFS ? ErrorCode::kDenied
                                                             : ErrorCode::kUnavailable;
  return fail(code, fmt::format("{} cannot be {}: {}", path, what, std::strerror(error)));
}

Status make_parents(const std::string& path) {
  std::string sofar;
  for (const fs::path& part : fs::path(path).parent_path()) {
    sofar = (fs::path(sofar) / part).string();
    if (::mkdir(sofar.c_str(), 0700) != 0 && errno != EEXIST) {
      return failed(sofar, "made");
    }
  }
  return {};
}

void rotate(const std::string& path, int kept) {
  ::unlink(fmt::format("{}.{}", path, kept).c_str());
  for (int i = kept - 1; i >= 1; --i) {
    ::rename(fmt::format("{}.{}", path, i).c_str(), fmt::format("{}.{}", path, i + 1).c_str());
  }
  ::rename(path.c_str(), fmt::format("{}.1", path).c_str());
}

Result<Descriptor> open_file(const std::string& path) {
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
  Descriptor file(::open(path.c_str(), kFlags, kFileMode));
  if (!file && errno == ENOENT) {
    if (Status made = make_parents(path); !made) {
      return tl::unexpected(made.error());
    }
    file = Descriptor(::open(path.c_str(), kFlags, kFileMode));
  }
  if (!file) {
    return failed(path, "opened");
  }
  return file;
}

}  // namespace

Status append_lines(const std::string& path, std::string_view lines, const LineFileLimits& limits) {
  auto file = open_file(path);
  if (!file) {
    return tl::unexpected(file.error());
  }
  struct stat info = {};
  if (::fstat(file->get(), &info) != 0) {
    return failed(path, "examined");
  }
  const auto size = std::uint64_t(info.st_size);
  if (size > 0 && size + lines.size() > limits.bytes) {
    rotate(path, limits.kept);
    file = open_file(path);
    if (!file) {
      return tl::unexpected(file.error());
    }
    info.st_size = 0;
  }
  for (std::size_t done = 0; done < lines.size();) {
    const ssize_t written = ::write(file->get(), lines.data() + done, lines.size() - done);
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      const auto error = failed(path, "written");
      // Half a line would spoil the next one. Where even that fails it stays.
      [[maybe_unused]] const int cut = ::ftruncate(file->get(), info.st_size);
      return error;
    }
    done += std::size_t(written);
  }
  return {};
}

control::Awaitable<Status> LineFile::deliver(std::string message) {
  message += '\n';
  const auto append = [this, text = std::move(message)] {
    return append_lines(path_, text, LineFileLimits());
  };
  co_return co_await control::offload(pool_, append);
}

}  // namespace hikae::adapters
