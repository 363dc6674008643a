#pragma once

#include <map>
#include <memory>
#include <string>

#include "control/ports.h"

namespace hikae::adapters {

// Leases in shared memory, one small file of a memory file system for each node: module/fence.c
// says what is in it, but for a third word: which fence reads it. On a disk a renewal could wait
// for that, and a healthy primary would refuse writes because its disk is slow.
class LeaseMemory final : public control::FenceLeases {
 public:
  struct Options {
    std::string directory = "/dev/shm";
    // Of the host's data directory: names of several agents of one machine do not meet.
    std::string name;
  };

  // Removes all files of that name, for when no engine reads them any more.
  static void remove_all(const Options& options);
  // kUnavailable: the directory is none that this process can write to.
  static Result<std::unique_ptr<LeaseMemory>> open(Options options);
  ~LeaseMemory();
  LeaseMemory(const LeaseMemory&) = delete;
  LeaseMemory& operator=(const LeaseMemory&) = delete;

  Result<std::string> path(core::NodeKey node) override;
  Status set(core::NodeKey node, Lease lease) override;
  std::optional<Lease> get(core::NodeKey node) const override;
  Status set_fence(core::NodeKey node, Fence fence) override;
  Fence fence(core::NodeKey node) const override;
  void remove(core::NodeKey node) override;

 private:
  struct Words;
  explicit LeaseMemory(Options options) : options_(std::move(options)) {}
  std::string file_of(const core::NodeKey& node) const;
  // Maps the file; nullptr with kNotFound when it is not there and is not to be made.
  Result<Words*> map(const core::NodeKey& node, bool make) const;

  Options options_;
  mutable std::map<core::NodeKey, Words*> mapped_;
};

}  // namespace hikae::adapters
