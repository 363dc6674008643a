#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace hikae::adapters {

// A socket that takes connections (TCP) or datagrams (UDP), from /proc/net.
struct ListeningSocket {
  enum class Protocol { kTcp, kUdp };
  Protocol protocol = Protocol::kTcp;
  bool ipv6 = false;
  bool wildcard = false;  // 0.0.0.0 or ::
  Ipv4 address;           // IPv4 alone
  std::uint16_t port = 0;
  std::uint64_t inode = 0;
};

// The lines of a /proc/net/{tcp,tcp6,udp,udp6} file that listen. Other lines are left out.
std::vector<ListeningSocket> parse_proc_net(std::string_view text,
                                            ListeningSocket::Protocol protocol, bool ipv6);

// Every listening socket of this network namespace.
std::vector<ListeningSocket> listening_sockets();

// A process that is alive (zombies are not).
struct RunningProcess {
  pid_t pid = 0;
  std::string name;               // as in /proc/<pid>/comm
  std::string working_directory;  // empty when it may not be read
};
std::vector<RunningProcess> running_processes();

// `name (pid 12)` of a process that has the socket open, empty when none may be seen.
std::string socket_owner(std::uint64_t inode);

// Processor time that the calling thread has used.
Duration thread_cpu_time();

}  // namespace hikae::adapters
