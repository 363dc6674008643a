#include "app/ca_file.h"

#include <cstdio>

#include <fmt/format.h>

#include "adapters/system/data_directory.h"
#include "adapters/system/files.h"

namespace hikae::app {

std::string ca_path(const std::string& data_directory) {
  return adapters::absolute_path(data_directory) + "/ca.pem";
}

Status keep_ca(const std::string& data_directory, const std::string& certificate) {
  return adapters::write_file(ca_path(data_directory), certificate, 0644);
}

int run_ca(const std::string& data_directory) {
  const auto certificate = adapters::read_file(ca_path(data_directory));
  if (!certificate) {
    const bool missing = certificate.error().code == ErrorCode::kNotFound;
    fmt::print(stderr, "hikae ca: {}\n",
               missing ? fmt::format("no region was ever served from {0}; start it with: hikae "
                                     "serve --data {0}",
                                     data_directory)
                       : certificate.error().message);
    return 1;
  }
  fmt::print("{}", *certificate);
  return 0;
}

}  // namespace hikae::app
