#include "adapters/delivery/log_tail.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/descriptor.h"
#include "base/strings.h"

namespace hikae::adapters {
namespace {

struct OpenLog {
  Descriptor file;
  std::uint64_t number = 0;
  std::uint64_t size = 0;
};

Result<OpenLog> open_log(const std::string& path) {
  OpenLog out;
  out.file = Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat info = {};
  if (!out.file || ::fstat(out.file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    const ErrorCode code = errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable;
    return fail(code, fmt::format("{} cannot be read: {}", path, std::strerror(errno)));
  }
  out.number = std::uint64_t(info.st_ino);
  out.size = std::uint64_t(info.st_size);
  return out;
}

// Whole lines from `offset` on; where a line does not end for so long, what there is of it.
Result<control::LogChunk> read_from(const std::string& path, const OpenLog& log,
                                    std::uint64_t offset) {
  control::LogChunk out;
  out.place = {log.number, offset};
  std::string text(kMostTailBytes, '\0');
  const ssize_t got = ::pread(log.file.get(), text.data(), text.size(), off_t(offset));
  if (got < 0) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("{} cannot be read: {}", path, std::strerror(errno)));
  }
  text.resize(std::size_t(got));
  const std::size_t end = text.rfind('\n');
  if (end == std::string::npos && text.size() < kMostTailBytes) {
    return out;
  }
  const std::size_t whole = end == std::string::npos ? text.size() : end;
  out.place.offset = offset + whole + (end == std::string::npos ? 0 : 1);
  text.resize(whole);
  out.lines = split(text, '\n');
  return out;
}

}  // namespace

Result<control::LogChunk> read_tail(const std::string& path, control::LogPlace place) {
  auto log = open_log(path);
  if (!log) {
    return tl::unexpected(log.error());
  }
  if (place.file == 0) {
    return control::LogChunk{{}, {log->number, log->size}};
  }
  if (place.file == log->number) {
    // A file that has become shorter was begun anew.
    return read_from(path, *log, place.offset > log->size ? 0 : place.offset);
  }
  const auto old = open_log(path + ".1");
  if (old && old->number == place.file && place.offset < old->size) {
    auto rest = read_from(path, *old, place.offset);
    if (rest && !rest->lines.empty()) {
      return rest;
    }
  }
  return read_from(path, *log, 0);
}

}  // namespace hikae::adapters
