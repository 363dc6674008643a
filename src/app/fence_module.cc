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

// Where a build and an installation put modules, seen from the program.
constexpr const char* kPlaces[] = {".", "../lib/hikae"};

std::string installed_module(const char* name) {
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
                  fmt::format("{} cannot be read by everybody, so the engines' user cannot load {}",
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

}  // namespace

Result<std::string> find_fence_module(const std::string& configured) {
  std::error_code error;
  const std::string file =
      configured.empty() ? installed_module("fence.so") : fs::canonical(configured, error).string();
  if (file.empty()) {
    return fail(ErrorCode::kNotFound,
                configured.empty()
                    ? "fence.so is not installed beside hikae; name it with --fence-module"
                    : fmt::format("there is no {}", configured));
  }
  return checked_module(file);
}

Result<std::string> find_front_module() {
  const std::string file = installed_module("front.so");
  return file.empty() ? fail(ErrorCode::kNotFound, "front.so is not installed beside hikae")
                      : checked_module(file);
}

}  // namespace hikae::app
