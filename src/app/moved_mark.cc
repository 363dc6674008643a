#include "app/moved_mark.h"

#include <filesystem>

#include <fmt/format.h>

#include "adapters/system/files.h"
#include "base/strings.h"

namespace hikae::app {

std::string moved_mark_path(const std::string& data_directory) {
  return data_directory + "/moved";
}

std::string moved_to(const std::string& data_directory) {
  const auto text = adapters::read_file(moved_mark_path(data_directory));
  return text ? std::string(trim(*text)) : std::string();
}

Status mark_moved(const std::string& data_directory, const std::string& place) {
  const std::string path = moved_mark_path(data_directory);
  if (!place.empty()) {
    return adapters::write_file(path, place + "\n", 0600);
  }
  std::error_code error;
  std::filesystem::remove(path, error);
  if (error) {
    return fail(ErrorCode::kDenied, fmt::format("{} cannot be removed: {}", path, error.message()));
  }
  return {};
}

}  // namespace hikae::app
