#pragma once

#include <string>

#include "base/result.h"

namespace hikae::app {

// A file of our own that stands where the machine's file was, for this process and its children.
class PrivateFile {
 public:
  PrivateFile(int fd, std::size_t size) : fd_(fd), size_(size) {}
  int descriptor() const { return fd_; }
  // Replaces the content in one write, so that no reader meets a half of it. A shorter content is
  // followed by empty lines.
  bool replace(std::string content);

 private:
  int fd_;
  std::size_t size_;
};

// Moves this process into a mount namespace of its own (as root directly, else with a user
// namespace in which it stays the same user). Call while there is one thread. kDenied: this machine
// forbids it; nothing has changed.
Status enter_mount_namespace();

// Puts a file with that content over `path` (or over what the link leads to). Only after
// enter_mount_namespace(). Nothing is left behind when the namespace ends.
Result<PrivateFile> cover_file(const std::string& path, const std::string& content);

}  // namespace hikae::app
