#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace hikae {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(
      stderr,
      "hikae: internal error, please report it: %s does not hold (%s:%d). The engines keep "
      "running; start hikae again and it adopts them.\n",
      condition, file, line);
  std::abort();
}

}  // namespace hikae
