#include "adapters/system/data_directory.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "adapters/system/files.h"
#include "base/strings.h"

namespace hikae::adapters {
namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kKeySuffixLength = 16;
constexpr std::size_t kSecretKeyLength = 40;
constexpr int kLockTries = 200;
constexpr auto kLockPause = std::chrono::milliseconds(10);
constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view kSecretKeyAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string lock_path(const std::string& directory) {
  return directory + "/lock";
}
std::string credentials_path(const std::string& directory) {
  return directory + "/credentials";
}

std::string secret_path(const std::string& directory) {
  return directory + "/secret";
}

Status write_credentials(const std::string& directory, const Credentials& credentials) {
  const std::string text =
      fmt::format("[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
                  credentials.access_key_id, credentials.secret_access_key);
  return write_file(credentials_path(directory), text, 0600);
}

pid_t pid_in(const std::string& lock_file) {
  const auto text = read_file(lock_file);
  const auto pid = text ? parse_integer(trim(*text)) : std::nullopt;
  return pid ? pid_t(*pid) : 0;
}

bool is_alive(pid_t pid) {
  return ::kill(pid, 0) == 0 || errno != ESRCH;
}

// A hikae that is killed while it starts an engine leaves the lock to that child, which drops it
// when it becomes the engine. So a lock whose owner is dead is waited for.
bool take_lock(int fd, const std::string& lock_file) {
  for (int tries = 0; tries < kLockTries; ++tries) {
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) {
      return true;
    }
    if (is_alive(pid_in(lock_file))) {
      return false;
    }
    std::this_thread::sleep_for(kLockPause);
  }
  return false;
}

Status write_pid(int fd, const std::string& path) {
  const std::string text = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd, 0) != 0 ||
      ::pwrite(fd, text.data(), text.size(), 0) != ssize_t(text.size())) {
    return fail(ErrorCode::kExhausted,
                fmt::format("{} cannot be written: {}", path, std::strerror(errno)));
  }
  return {};
}

std::string draw_bytes(Random& random, std::size_t count) {
  std::string bytes(count, '\0');
  for (char& byte : bytes) {
    byte = char(random.below(256));
  }
  return bytes;
}

// The value of `name = value`, or empty.
std::string setting(const std::string& text, std::string_view name) {
  for (const std::string& line : split(text, '\n')) {
    const auto equals = line.find('=');
    if (equals != std::string::npos && trim(line.substr(0, equals)) == name) {
      return std::string(trim(line.substr(equals + 1)));
    }
  }
  return {};
}

}  // namespace

std::string absolute_path(const std::string& path) {
  std::error_code error;
  const auto canonical = std::filesystem::weakly_canonical(std::filesystem::absolute(path), error);
  std::string text = error ? path : canonical.string();
  while (text.size() > 1 && text.back() == '/') {
    text.pop_back();
  }
  return text;
}

Result<DataDirectory> DataDirectory::open(const std::string& given) {
  const std::string path = absolute_path(given);
  // Root's engines may run as another user, who then has to pass through.
  if (Status made = make_directory(path, ::geteuid() == 0 ? 0711 : 0700); !made) {
    return tl::unexpected(made.error());
  }
  const std::string lock_file = lock_path(path);
  const int fd = ::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return fail(ErrorCode::kDenied, fmt::format("{} cannot be opened: {}; choose another --data",
                                                lock_file, std::strerror(errno)));
  }
  DataDirectory directory(path, fd);
  if (!take_lock(fd, lock_file)) {
    return fail(
        ErrorCode::kConflict,
        fmt::format("{} is in use by hikae with pid {}; stop that one (hikae down --data {}) "
                    "or choose another --data",
                    path, pid_in(lock_file), path));
  }
  if (Status written = write_pid(fd, lock_file); !written) {
    return tl::unexpected(written.error());
  }
  return directory;
}

DataDirectory::~DataDirectory() {
  if (lock_ >= 0) {
    ::close(lock_);
  }
}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

DataDirectory& DataDirectory::operator=(DataDirectory&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(lock_, other.lock_);
  return *this;
}

Result<std::string> DataDirectory::region_secret(Random& random) const {
  const std::string file = secret_path(path_);
  auto stored = read_file(file);
  if (stored && stored->size() == kSecretBytes) {
    return stored;
  }
  if (stored || stored.error().code != ErrorCode::kNotFound) {
    return fail(
        ErrorCode::kInvalid,
        fmt::format("{} does not hold {} bytes; restore it from a copy", file, kSecretBytes));
  }
  std::string secret = draw_bytes(random, kSecretBytes);
  if (Status written = write_file(file, secret, 0600); !written) {
    return tl::unexpected(written.error());
  }
  return secret;
}

Result<Credentials> DataDirectory::credentials(Random& random) const {
  auto stored = read_credentials(path_);
  if (stored || stored.error().code != ErrorCode::kNotFound) {
    return stored;
  }
  Credentials fresh;
  fresh.access_key_id = "HKIA" + random.text(kKeySuffixLength, kBase32);
  fresh.secret_access_key = random.text(kSecretKeyLength, kSecretKeyAlphabet);
  if (Status written = write_credentials(path_, fresh); !written) {
    return tl::unexpected(written.error());
  }
  return fresh;
}

bool DataDirectory::has_identity() const {
  std::error_code error;
  return std::filesystem::exists(secret_path(path_), error) &&
         std::filesystem::exists(credentials_path(path_), error);
}

Status DataDirectory::adopt_identity(const std::string& secret,
                                     const Credentials& credentials) const {
  const auto stored = read_file(secret_path(path_));
  const auto key = read_credentials(path_);
  const bool other = (stored && *stored != secret) ||
                     (key && (key->access_key_id != credentials.access_key_id ||
                              key->secret_access_key != credentials.secret_access_key));
  if (other) {
    return fail(ErrorCode::kConflict,
                fmt::format("{} holds the secret or the credentials of another region; choose an "
                            "empty --data",
                            path_));
  }
  if (secret.size() != kSecretBytes || credentials.access_key_id.empty() ||
      credentials.secret_access_key.empty()) {
    return fail(ErrorCode::kInvalid, "the secret or the credentials are damaged");
  }
  if (Status written = write_file(secret_path(path_), secret, 0600); !written) {
    return written;
  }
  return write_credentials(path_, credentials);
}

std::optional<pid_t> lock_holder(const std::string& data_directory) {
  const std::string file = lock_path(absolute_path(data_directory));
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    return std::nullopt;
  }
  const bool held = ::flock(fd, LOCK_SH | LOCK_NB) != 0;
  ::close(fd);
  const pid_t pid = held ? pid_in(file) : 0;
  return held && is_alive(pid) ? std::optional(pid) : std::nullopt;
}

Result<Credentials> read_credentials(const std::string& data_directory) {
  const std::string file = credentials_path(absolute_path(data_directory));
  auto text = read_file(file);
  if (!text) {
    return tl::unexpected(text.error());
  }
  Credentials credentials;
  credentials.access_key_id = setting(*text, "aws_access_key_id");
  credentials.secret_access_key = setting(*text, "aws_secret_access_key");
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) {
    return fail(ErrorCode::kInvalid,
                file +
                    " lacks aws_access_key_id or aws_secret_access_key; restore it, or remove it "
                    "and start hikae serve again for a new key");
  }
  return credentials;
}

}  // namespace hikae::adapters
