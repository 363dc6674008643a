#include "adapters/process/node_directory.h"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include <fmt/format.h>

namespace hikae::adapters {
namespace {

constexpr std::size_t kLongestName = 100;  // of a cluster or node
constexpr std::size_t kSmallFile = 1024 * 1024;
constexpr int kDeepestTree = 8;  // engines make at most one level of directories
constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
// O_NONBLOCK: a FIFO must not hold us up.
constexpr int kOpenFile = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;

bool is_safe_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

Status make_path(const std::string& path) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
      return posix_failure(errno, "cannot make the directory " + part);
    }
    if (end == std::string::npos) {
      return {};
    }
  }
}

Status give_to(int fd, const std::optional<Account>& owner) {
  if (owner && ::fchown(fd, owner->uid, owner->gid) != 0) {
    return posix_failure(errno, "cannot give a file to " + owner->name);
  }
  return {};
}

Result<Descriptor> open_regular(int directory, const std::string& name, int flags) {
  Descriptor file(::openat(directory, name.c_str(), flags | kOpenFile, 0600));
  if (!file) {
    return posix_failure(errno, "cannot open " + name);
  }
  struct stat info{};
  if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return fail(ErrorCode::kInvalid, name + " is no regular file");
  }
  return file;
}

Status write_all(int fd, std::string_view content, const std::string& name) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno != EINTR) {
      return posix_failure(errno, "cannot write " + name);
    }
    content.remove_prefix(std::size_t(std::max<ssize_t>(written, 0)));
  }
  return {};
}

// Names in a directory, without `.` and `..`.
std::vector<std::string> names_in(int directory) {
  std::vector<std::string> out;
  // A descriptor of its own, because closedir() closes it.
  DIR* stream = ::fdopendir(::openat(directory, ".", kOpenDirectory));
  while (const dirent* entry = stream ? ::readdir(stream) : nullptr) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") {
      out.push_back(name);
    }
  }
  if (stream) {
    ::closedir(stream);
  }
  return out;
}

Status remove_tree(int parent, const std::string& name, int depth) {
  const Descriptor directory(::openat(parent, name.c_str(), kOpenDirectory));
  if (!directory) {
    return errno == ENOENT ? Status()
                           : Status(posix_failure(errno, "cannot open the directory " + name));
  }
  for (const std::string& entry : names_in(directory.get())) {
    if (::unlinkat(directory.get(), entry.c_str(), 0) == 0 || errno == ENOENT) {
      continue;
    }
    if (errno != EISDIR && errno != EPERM) {
      return posix_failure(errno, fmt::format("cannot remove {}/{}", name, entry));
    }
    if (depth >= kDeepestTree) {
      return fail(ErrorCode::kInvalid, fmt::format("{}/{} lies too deep", name, entry));
    }
    if (Status removed = remove_tree(directory.get(), entry, depth + 1); !removed) {
      return removed;
    }
  }
  if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
    return posix_failure(errno, "cannot remove the directory " + name);
  }
  return {};
}

}  // namespace

Result<NodeDirectories> NodeDirectories::open(const std::string& root,
                                              std::optional<Account> owner) {
  if (Status made = make_path(root); !made) {
    return tl::unexpected(made.error());
  }
  NodeDirectories out;
  out.root_ = Descriptor(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!out.root_) {
    return posix_failure(errno, "cannot open the directory " + root);
  }
  out.path_ = root;
  out.owner_ = std::move(owner);
  return out;
}

Result<Descriptor> NodeDirectories::enter(int parent, const std::string& name, bool make,
                                          bool owned) const {
  if (!is_safe_name(name)) {
    return fail(ErrorCode::kInvalid, fmt::format("'{}' cannot name a directory", name));
  }
  if (make) {
    ::mkdirat(parent, name.c_str(), 0700);  // may be there already
  }
  Descriptor directory(::openat(parent, name.c_str(), kOpenDirectory));
  if (!directory) {
    return posix_failure(errno, fmt::format("cannot open the directory {} in {}", name, path_));
  }
  // Also one that was there: whoever made it may have been killed before this.
  if (make && owned) {
    if (Status given = give_to(directory.get(), owner_); !given) {
      return tl::unexpected(given.error());
    }
  }
  return directory;
}

Result<Descriptor> NodeDirectories::find(const core::NodeKey& node) const {
  const auto cluster = enter(root_.get(), node.cluster.str(), false, false);
  return cluster ? enter(cluster->get(), node.node.str(), false, true)
                 : Result<Descriptor>(tl::unexpected(cluster.error()));
}

Result<Descriptor> NodeDirectories::find_or_make(const core::NodeKey& node) const {
  const auto cluster = enter(root_.get(), node.cluster.str(), true, false);
  return cluster ? enter(cluster->get(), node.node.str(), true, true)
                 : Result<Descriptor>(tl::unexpected(cluster.error()));
}

Result<std::vector<core::NodeKey>> NodeDirectories::list() const {
  std::vector<core::NodeKey> out;
  for (const std::string& cluster : names_in(root_.get())) {
    const auto directory = enter(root_.get(), cluster, false, false);
    if (!directory) {
      continue;  // not one of ours
    }
    for (const std::string& node : names_in(directory->get())) {
      if (is_safe_name(node)) {
        out.push_back(core::NodeKey{core::CacheClusterId(cluster), core::NodeId(node)});
      }
    }
  }
  return out;
}

Status NodeDirectories::remove(const core::NodeKey& node) const {
  const auto cluster = enter(root_.get(), node.cluster.str(), false, false);
  if (!cluster) {
    return cluster.error().code == ErrorCode::kNotFound ? Status()
                                                        : Status(tl::unexpected(cluster.error()));
  }
  if (!is_safe_name(node.node.str())) {
    return fail(ErrorCode::kInvalid, fmt::format("'{}' cannot name a directory", node.node.str()));
  }
  if (Status removed = remove_tree(cluster->get(), node.node.str(), 0); !removed) {
    return removed;
  }
  // Stays while the cluster has other nodes.
  ::unlinkat(root_.get(), node.cluster.str().c_str(), AT_REMOVEDIR);
  return {};
}

Result<DirectoryId> directory_id(int directory) {
  struct stat info{};
  if (::fstat(directory, &info) != 0) {
    return posix_failure(errno, "cannot look at a node's directory");
  }
  return DirectoryId(info.st_dev, info.st_ino);
}

Status write_new_file(int directory, const std::string& name, std::string_view content,
                      const std::optional<Account>& owner) {
  ::unlinkat(directory, name.c_str(), 0);
  const auto file = open_regular(directory, name, O_WRONLY | O_CREAT | O_EXCL);
  if (!file) {
    return tl::unexpected(file.error());
  }
  if (Status given = give_to(file->get(), owner); !given) {
    return given;
  }
  return write_all(file->get(), content, name);
}

Status replace_file(int directory, const std::string& name, std::string_view content,
                    const std::optional<Account>& owner) {
  const std::string temporary = name + ".new";
  if (Status written = write_new_file(directory, temporary, content, owner); !written) {
    return written;
  }
  const auto file = open_regular(directory, temporary, O_RDONLY);
  if (!file) {
    return tl::unexpected(file.error());
  }
  if (::fsync(file->get()) != 0 ||
      ::renameat(directory, temporary.c_str(), directory, name.c_str()) != 0 ||
      ::fsync(directory) != 0) {
    return posix_failure(errno, "cannot replace " + name);
  }
  return {};
}

Status copy_file(int directory, const std::string& name, const std::string& source,
                 const std::optional<Account>& owner) {
  const Descriptor from(::open(source.c_str(), O_RDONLY | kOpenFile));
  if (!from) {
    return posix_failure(errno, "cannot open " + source);
  }
  ::unlinkat(directory, name.c_str(), 0);
  const auto to = open_regular(directory, name, O_WRONLY | O_CREAT | O_EXCL);
  if (!to) {
    return tl::unexpected(to.error());
  }
  constexpr std::size_t kAtOnce = 64 * 1024 * 1024;
  ssize_t copied = 0;
  do {
    copied = ::copy_file_range(from.get(), nullptr, to->get(), nullptr, kAtOnce, 0);
  } while (copied > 0 || (copied < 0 && errno == EINTR));
  if (copied < 0) {
    return posix_failure(errno, fmt::format("cannot copy {} to {}", source, name));
  }
  return give_to(to->get(), owner);
}

Status overwrite_file(int directory, const std::string& name, std::string content) {
  const auto file = open_regular(directory, name, O_WRONLY);
  if (!file) {
    return tl::unexpected(file.error());
  }
  struct stat info{};
  ::fstat(file->get(), &info);
  const std::size_t size = content.size();
  // A shorter content covers the old tail with blank lines within the same write.
  content.resize(std::max(size, std::size_t(info.st_size)), '\n');
  if (::pwrite(file->get(), content.data(), content.size(), 0) != ssize_t(content.size()) ||
      ::ftruncate(file->get(), off_t(size)) != 0) {
    return posix_failure(errno, "cannot write " + name);
  }
  return {};
}

std::optional<std::string> read_small_file(int directory, const std::string& name) {
  const auto file = open_regular(directory, name, O_RDONLY);
  if (!file) {
    return std::nullopt;
  }
  std::string out;
  char buffer[16 * 1024];
  ssize_t size = 0;
  while (out.size() <= kSmallFile && (size = ::read(file->get(), buffer, sizeof buffer)) > 0) {
    out.append(buffer, std::size_t(size));
  }
  return size < 0 || out.size() > kSmallFile ? std::nullopt : std::optional(std::move(out));
}

std::uint64_t stored_size(int directory, const std::string& name) {
  const auto size_of = [](int parent, const std::string& file) -> std::uint64_t {
    struct stat info{};
    const bool found = ::fstatat(parent, file.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
    return found && S_ISREG(info.st_mode) ? std::uint64_t(info.st_size) : 0;
  };
  const Descriptor inner(::openat(directory, name.c_str(), kOpenDirectory));
  if (!inner) {
    return size_of(directory, name);
  }
  std::uint64_t bytes = 0;
  for (const std::string& file : names_in(inner.get())) {
    bytes += size_of(inner.get(), file);
  }
  return bytes;
}

Result<Descriptor> open_for_append(int directory, const std::string& name,
                                   const std::optional<Account>& owner) {
  auto file = open_regular(directory, name, O_WRONLY | O_CREAT | O_APPEND);
  if (file) {
    if (Status given = give_to(file->get(), owner); !given) {
      return tl::unexpected(given.error());
    }
  }
  return file;
}

}  // namespace hikae::adapters
