#include "app/drill_faults.h"

#include <signal.h>

#include "adapters/system/proc.h"
#include "base/strings.h"

namespace hikae::app {
namespace {

// The parts of a working directory below `nodes`: host, cluster, node. Empty when it lies
// elsewhere.
std::vector<std::string> place_of(const std::string& directory, const std::string& nodes) {
  const std::string prefix = nodes + "/";
  return directory.starts_with(prefix) ? split(directory.substr(prefix.size()), '/')
                                       : std::vector<std::string>();
}

std::vector<pid_t> processes_where(const std::string& nodes, std::size_t part,
                                   const std::string& value) {
  std::vector<pid_t> pids;
  for (const adapters::RunningProcess& process : adapters::running_processes()) {
    const auto place = place_of(process.working_directory, nodes);
    if (place.size() > part && place[part] == value) {
      pids.push_back(process.pid);
    }
  }
  return pids;
}

}  // namespace

std::vector<pid_t> cluster_processes(const std::string& nodes_directory,
                                     const std::string& cluster) {
  return processes_where(nodes_directory, 1, cluster);
}

std::vector<pid_t> host_processes(const std::string& nodes_directory, const std::string& host) {
  return processes_where(nodes_directory, 0, host);
}

int send_signal(const std::vector<pid_t>& pids, int number) {
  int sent = 0;
  for (const pid_t pid : pids) {
    sent += ::kill(pid, number) == 0 ? 1 : 0;
  }
  return sent;
}

}  // namespace hikae::app
