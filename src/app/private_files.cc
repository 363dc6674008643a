#include "app/private_files.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace hikae::app {
namespace {

bool write_map(const char* path, const std::string& content) {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) {
    return false;
  }
  const bool written = ::write(fd, content.data(), content.size()) == ssize_t(content.size());
  ::close(fd);
  return written;
}

// user_namespaces(7): an unprivileged process may map its own ids only, and its group only after it
// has given up setgroups.
bool keep_own_ids(uid_t user, gid_t group) {
  return write_map("/proc/self/uid_map", fmt::format("{0} {0} 1\n", user)) &&
         write_map("/proc/self/setgroups", "deny") &&
         write_map("/proc/self/gid_map", fmt::format("{0} {0} 1\n", group));
}

}  // namespace

bool PrivateFile::replace(std::string content) {
  const std::size_t size = content.size();
  if (size < size_) {
    content.append(size_ - size, '\n');
  }
  size_ = content.size();
  return ::pwrite(fd_, content.data(), content.size(), 0) == ssize_t(content.size());
}

Status enter_mount_namespace() {
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  if (::unshare(CLONE_NEWNS) != 0) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
      return fail(ErrorCode::kDenied,
                  fmt::format("this machine forbids mount namespaces: {}", std::strerror(errno)));
    }
    if (!keep_own_ids(user, group)) {
      return fail(ErrorCode::kDenied,
                  fmt::format("this machine forbids user namespaces: {}", std::strerror(errno)));
    }
  }
  // What is mounted outside later shows inside, never the other way round.
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
    return fail(ErrorCode::kDenied,
                fmt::format("mounts cannot be made private: {}", std::strerror(errno)));
  }
  return {};
}

Result<PrivateFile> cover_file(const std::string& path, const std::string& content) {
  std::error_code error;
  const auto target = std::filesystem::canonical(path, error);
  if (error) {
    return fail(ErrorCode::kNotFound,
                fmt::format("{} cannot be replaced in this shell: {}", path, error.message()));
  }
  std::string temporary = (std::filesystem::temp_directory_path(error) / "hikae-XXXXXX").string();
  const int fd = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) {
    return fail(ErrorCode::kDenied,
                fmt::format("{} cannot be made: {}", temporary, std::strerror(errno)));
  }
  PrivateFile file(fd, 0);
  const bool covered = file.replace(content) && ::fchmod(fd, 0644) == 0 &&
                       ::mount(temporary.c_str(), target.c_str(), nullptr, MS_BIND, nullptr) == 0;
  const int reason = errno;
  // The mount keeps the file alive, and the end of the namespace ends the mount.
  ::unlink(temporary.c_str());
  if (!covered) {
    ::close(fd);
    return fail(ErrorCode::kDenied, fmt::format("{} cannot be replaced in this shell: {}", path,
                                                std::strerror(reason)));
  }
  return file;
}

}  // namespace hikae::app
