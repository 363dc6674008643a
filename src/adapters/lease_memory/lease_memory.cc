#include "adapters/lease_memory/lease_memory.h"

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "base/descriptor.h"

namespace hikae::adapters {
namespace {

// Engines run as another user and read it; nobody else may write. It holds no secret.
constexpr mode_t kMode = 0644;

std::string prefix_of(const LeaseMemory::Options& options) {
  return fmt::format("hikae-{}-", options.name);
}

}  // namespace

struct LeaseMemory::Words {
  std::atomic<std::uint64_t> epoch;
  std::atomic<std::int64_t> until;
  // A Fence, for agents alone: engines are told by how they are started. Files of earlier versions
  // end before it; they grow, and a zero is what they mean.
  std::atomic<std::uint64_t> fence;
};
static_assert(int(control::FenceLeases::Fence::kModule) == 0);

Result<std::unique_ptr<LeaseMemory>> LeaseMemory::open(Options options) {
  if (::access(options.directory.c_str(), W_OK | X_OK) != 0) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("{}: {}", options.directory, std::strerror(errno)));
  }
  return std::unique_ptr<LeaseMemory>(new LeaseMemory(std::move(options)));
}

void LeaseMemory::remove_all(const Options& options) {
  std::error_code ignored;
  for (const auto& file : std::filesystem::directory_iterator(options.directory, ignored)) {
    if (file.path().filename().string().starts_with(prefix_of(options))) {
      std::filesystem::remove(file.path(), ignored);
    }
  }
}

LeaseMemory::~LeaseMemory() {
  for (const auto& [node, words] : mapped_) {
    ::munmap(words, sizeof(Words));
  }
}

std::string LeaseMemory::file_of(const core::NodeKey& node) const {
  return fmt::format("{}/{}{}-{}", options_.directory, prefix_of(options_), node.cluster.str(),
                     node.node.str());
}

Result<LeaseMemory::Words*> LeaseMemory::map(const core::NodeKey& node, bool make) const {
  if (const auto known = mapped_.find(node); known != mapped_.end()) {
    return known->second;
  }
  const std::string file = file_of(node);
  const auto failed = [&](int error) {
    const ErrorCode code = error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable;
    return fail(code, fmt::format("node {}: its lease cannot be kept in {}: {}", node.str(), file,
                                  std::strerror(error)));
  };
  const int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | (make ? O_CREAT : 0);
  const Descriptor opened(::open(file.c_str(), flags, kMode));
  if (opened.get() < 0) {
    return failed(errno);
  }
  struct stat info = {};
  if (::fstat(opened.get(), &info) != 0) {
    return failed(errno);
  }
  // In a directory where everybody may make files it could be somebody else's.
  if (!S_ISREG(info.st_mode) || info.st_uid != ::geteuid()) {
    return failed(EPERM);
  }
  if (::fchmod(opened.get(), kMode) != 0 ||
      (info.st_size < off_t(sizeof(Words)) && ::ftruncate(opened.get(), sizeof(Words)) != 0)) {
    return failed(errno);
  }
  void* memory =
      ::mmap(nullptr, sizeof(Words), PROT_READ | PROT_WRITE, MAP_SHARED, opened.get(), 0);
  if (memory == MAP_FAILED) {
    return failed(errno);
  }
  auto* words = static_cast<Words*>(memory);
  mapped_.emplace(node, words);
  return words;
}

Result<std::string> LeaseMemory::path(core::NodeKey node) {
  const auto words = map(node, true);
  return words ? Result<std::string>(file_of(node)) : tl::unexpected(words.error());
}

Status LeaseMemory::set(core::NodeKey node, Lease lease) {
  const auto words = map(node, true);
  if (!words) {
    return tl::unexpected(words.error());
  }
  // Whoever reads between two of these finds a lease that is over, or the old one; who needed none
  // finds that or the new one.
  const std::uint64_t before = (*words)->epoch.load();
  if (before == 0) {
    (*words)->until.store(lease.until.microseconds());
  } else if (before != lease.epoch.value()) {
    (*words)->until.store(0);
  }
  (*words)->epoch.store(lease.epoch.value());
  (*words)->until.store(lease.until.microseconds(), std::memory_order_release);
  return {};
}

std::optional<control::FenceLeases::Lease> LeaseMemory::get(core::NodeKey node) const {
  const auto words = map(node, false);
  if (!words) {
    return std::nullopt;
  }
  return Lease{core::Epoch((*words)->epoch.load()), Monotonic((*words)->until.load())};
}

Status LeaseMemory::set_fence(core::NodeKey node, Fence fence) {
  const auto words = map(node, true);
  if (!words) {
    return tl::unexpected(words.error());
  }
  (*words)->fence.store(std::uint64_t(fence));
  return {};
}

control::FenceLeases::Fence LeaseMemory::fence(core::NodeKey node) const {
  const auto words = map(node, false);
  const bool kept = words && (*words)->fence.load() == std::uint64_t(Fence::kKeeper);
  return kept ? Fence::kKeeper : Fence::kModule;
}

void LeaseMemory::remove(core::NodeKey node) {
  if (const auto known = mapped_.extract(node)) {
    ::munmap(known.mapped(), sizeof(Words));
  }
  ::unlink(file_of(node).c_str());
}

}  // namespace hikae::adapters
