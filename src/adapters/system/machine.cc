#include "adapters/system/machine.h"

#include <array>
#include <netdb.h>
#include <netinet/in.h>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/system/files.h"
#include "base/descriptor.h"
#include "base/strings.h"

namespace hikae::adapters {

std::string machine_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : "";
}

std::optional<Ipv4> address_towards(const std::string& host, std::uint16_t port) {
  addrinfo wanted{};
  wanted.ai_family = AF_INET;
  wanted.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found) != 0) {
    return std::nullopt;
  }
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in own{};
  socklen_t size = sizeof own;
  const bool known = ::connect(socket.get(), found->ai_addr, found->ai_addrlen) == 0 &&
                     ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &size) == 0;
  ::freeaddrinfo(found);
  return known ? std::optional(Ipv4(ntohl(own.sin_addr.s_addr))) : std::nullopt;
}

std::uint64_t machine_memory() {
  const auto text = read_file("/proc/meminfo");
  for (const std::string& line : split(text.value_or(""), '\n')) {
    constexpr std::string_view kTotal = "MemTotal:";
    if (line.starts_with(kTotal)) {
      const std::string_view rest = trim(std::string_view(line).substr(kTotal.size()));
      return std::uint64_t(parse_integer(rest.substr(0, rest.find(' '))).value_or(0)) * 1024;
    }
  }
  return 0;
}

}  // namespace hikae::adapters
