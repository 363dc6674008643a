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

// Those that take away `port` from an address of this machine: on all addresses, or on that one
// (`address` 0.0.0.0: on all addresses only).
std::vector<ListeningSocket> sockets_in_the_way(const std::vector<ListeningSocket>& sockets,
                                                ListeningSocket::Protocol protocol, Ipv4 address,
                                                std::uint16_t port);

// A process that is alive (zombies are not).
struct RunningProcess {
  pid_t pid = 0;
  std::string name;               // as in /proc/<pid>/comm
  std::string working_directory;  // empty when it may not be read
};
std::vector<RunningProcess> running_processes();

// `name (pid 12)` of a process that has the socket open, empty when none may be seen.
std::string socket_owner(std::uint64_t inode);

// The same, or that it is a program of another user and how to see which.
std::string holder_of(const ListeningSocket& socket);

// The one that has the port now, so that no other program can listen there; empty: none.
std::string port_holder(ListeningSocket::Protocol protocol, Ipv4 address, std::uint16_t port);
std::string tcp_port_holder(Ipv4 address, std::uint16_t port);

// Processor time that the calling thread has used.
Duration thread_cpu_time();

}  // namespace hikae::adapters
