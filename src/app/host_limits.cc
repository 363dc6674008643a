#include "app/host_limits.h"

#include <algorithm>
#include <thread>

namespace hikae::app {

// A start keeps a processor busy for some 20 ms.
int starts_at_once() {
  return std::max(2, int(std::thread::hardware_concurrency()));
}

void tell_limits(const adapters::LinuxProcessRunner& runner, control::Log& log) {
  if (!runner.private_hosts_supported()) {
    log.warn(
        "this machine does not permit mount namespaces: replicas follow addresses in place of "
        "names; everything else works. `hikae doctor` says what forbids them");
  }
  if (!runner.socket_resets_supported()) {
    log.warn(
        "ending connections of a dying primary is not permitted: clients of one with gigabytes of "
        "data wait until its memory is freed; everything else works. `hikae doctor` says why");
  }
}

}  // namespace hikae::app
