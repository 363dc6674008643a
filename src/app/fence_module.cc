#include "app/fence_module.h"

#include <climits>
#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace hikae::app {
namespace {

namespace fs = std::filesystem;

// Where a build and an installation put what engines need, seen from the program.
constexpr const char* kPlaces[] = {".", "../lib/hikae"};

std::string installed_file(const char* name) {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  for (const char* place : kPlaces) {
    const fs::path path = program.parent_path() / place / name;
    if (!error && fs::is_regular_file(path, error)) {
      return fs::canonical(path, error).string();
    }
  }
  return "";
}

// Engines of root run as another user.
Status check_access(const std::string& file) {
  fs::path path(file);
  const bool other_user = ::geteuid() == 0;
  for (mode_t needed = S_IROTH | S_IXOTH; other_user; needed = S_IXOTH) {
    struct stat info = {};
    if (::stat(path.c_str(), &info) != 0 || (info.st_mode & needed) != needed) {
      return fail(ErrorCode::kDenied,
                  fmt::format("{} cannot be read by everybody, so the engines' user cannot use {}",
                              path.string(), file));
    }
    if (path == path.parent_path()) {
      break;
    }
    path = path.parent_path();
  }
  return {};
}

// Of another machine, or not ours at all.
Status check_loading(const std::string& file) {
  void* const loaded = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (loaded == nullptr) {
    return fail(ErrorCode::kInvalid, ::dlerror());
  }
  const bool ours = ::dlsym(loaded, "RedisModule_OnLoad") != nullptr;
  ::dlclose(loaded);
  return ours ? Status()
              : fail(ErrorCode::kInvalid, fmt::format("{} is no module for engines", file));
}

Result<std::string> checked_module(const std::string& file) {
  if (Status access = check_access(file); !access) {
    return tl::unexpected(access.error());
  }
  if (Status loading = check_loading(file); !loading) {
    return tl::unexpected(loading.error());
  }
  return file;
}

Result<std::string> find_file(const std::string& configured, const char* name, const char* option) {
  std::error_code error;
  std::string file =
      configured.empty() ? installed_file(name) : fs::canonical(configured, error).string();
  if (file.empty()) {
    return fail(ErrorCode::kNotFound,
                configured.empty()
                    ? fmt::format("{} is not installed beside hikae; name it with {}", name, option)
                    : fmt::format("there is no {}", configured));
  }
  return file;
}

}  // namespace

Result<std::string> find_fence_module(const std::string& configured) {
  const auto file = find_file(configured, "fence.so", "--fence-module");
  return file ? checked_module(*file) : file;
}

Result<std::string> find_keeper(const std::string& configured) {
  auto file = find_file(configured, "hikae-keeper", "--keeper");
  if (!file) {
    return file;
  }
  if (Status access = check_access(*file); !access) {
    return tl::unexpected(access.error());
  }
  if (::access(file->c_str(), X_OK) != 0) {
    return fail(ErrorCode::kDenied, fmt::format("{} cannot be executed", *file));
  }
  return file;
}

Fences find_fences(const std::string& module, const std::string& keeper) {
  const auto none = [](const std::string& configured) {
    return fail(ErrorCode::kNotFound, fmt::format("it is set to {}", configured));
  };
  Fences out;
  auto found = module == kNoFence ? none(module) : find_fence_module(module);
  auto kept = keeper == kNoFence ? none(keeper) : find_keeper(keeper);
  out.module = found ? std::move(*found) : "";
  out.keeper = kept ? std::move(*kept) : "";
  if (!found && !kept) {
    out.problem =
        fmt::format("engines here take writes without a lease: no module ({}), no keeper ({})",
                    found.error().message, kept.error().message);
  } else if (!found && module != kNoFence) {
    out.problem = fmt::format(
        "engines here are stopped when their lease is over, in place of refusing writes: {}",
        found.error().message);
  }
  return out;
}

Result<std::string> find_front_module() {
  const std::string file = installed_file("front.so");
  return file.empty() ? fail(ErrorCode::kNotFound, "front.so is not installed beside hikae")
                      : checked_module(file);
}

}  // namespace hikae::app
