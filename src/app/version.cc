#include "app/version.h"

#include <fmt/format.h>

namespace hikae::app {

std::string version() {
  return HIKAE_VERSION;
}

std::string version_line() {
  const std::string commit = HIKAE_COMMIT;
  return fmt::format("hikae {} ({}{})", HIKAE_VERSION,
                     commit.empty() ? "" : "commit " + commit + ", ", __VERSION__);
}

}  // namespace hikae::app
