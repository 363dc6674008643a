#pragma once

#include <cerrno>
#include <unistd.h>
#include <utility>

namespace hikae {

// Owns a file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { reset(); }

  explicit operator bool() const { return fd_ >= 0; }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  // Keeps errno, so that a failure can be told after everything is closed.
  void reset() {
    if (fd_ >= 0) {
      const int before = errno;
      ::close(std::exchange(fd_, -1));
      errno = before;
    }
  }

 private:
  int fd_ = -1;
};

}  // namespace hikae
