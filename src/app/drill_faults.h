#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

namespace hikae::app {

// The processes of one cache cluster's nodes: all that work below `<nodes>/*/<cluster>`. What an
// engine has forked is among them, and shares its fate.
std::vector<pid_t> cluster_processes(const std::string& nodes_directory,
                                     const std::string& cluster);

// The processes of all nodes of a host.
std::vector<pid_t> host_processes(const std::string& nodes_directory, const std::string& host);

// Sends the signal to each; answers how many were there to get it.
int send_signal(const std::vector<pid_t>& pids, int number);

}  // namespace hikae::app
