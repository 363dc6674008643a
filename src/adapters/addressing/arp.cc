#include "adapters/addressing/arp.h"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <linux/if_packet.h>
#include <netinet/if_ether.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>

#include "base/descriptor.h"

namespace hikae::adapters {
namespace {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;
using control::Awaitable;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr int kProbes = 4;
constexpr auto kProbeGap = std::chrono::milliseconds(100);

using HardwareAddress = std::array<unsigned char, ETH_ALEN>;

// ARP for IPv4 over Ethernet, as on the wire.
struct ArpPacket {
  arphdr header;
  unsigned char sender_hardware[ETH_ALEN];
  unsigned char sender_address[4];
  unsigned char target_hardware[ETH_ALEN];
  unsigned char target_address[4];
} __attribute__((packed));

struct Interface {
  int index = 0;
  bool speaks_arp = false;
  HardwareAddress hardware{};
};

Interface look_up(int index) {
  Interface out;
  out.index = index;
  ifreq request{};
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket || ::if_indextoname(unsigned(index), request.ifr_name) == nullptr) {
    return out;
  }
  const bool has_flags = ::ioctl(socket.get(), SIOCGIFFLAGS, &request) == 0;
  out.speaks_arp = has_flags && (request.ifr_flags & (IFF_LOOPBACK | IFF_NOARP)) == 0;
  if (::ioctl(socket.get(), SIOCGIFHWADDR, &request) == 0 &&
      request.ifr_hwaddr.sa_family == ARPHRD_ETHER) {
    std::memcpy(out.hardware.data(), request.ifr_hwaddr.sa_data, out.hardware.size());
  } else {
    out.speaks_arp = false;
  }
  return out;
}

void put(unsigned char* field, Ipv4 address) {
  const std::uint32_t bits = htonl(address.bits());
  std::memcpy(field, &bits, sizeof bits);
}

// A question for `target`. A probe has no sender's address, so that nobody learns it.
ArpPacket question(const Interface& from, Ipv4 sender, Ipv4 target) {
  ArpPacket packet{};
  packet.header.ar_hrd = htons(ARPHRD_ETHER);
  packet.header.ar_pro = htons(ETHERTYPE_IP);
  packet.header.ar_hln = ETH_ALEN;
  packet.header.ar_pln = 4;
  packet.header.ar_op = htons(ARPOP_REQUEST);
  std::memcpy(packet.sender_hardware, from.hardware.data(), from.hardware.size());
  put(packet.sender_address, sender);
  put(packet.target_address, target);
  return packet;
}

bool send(int fd, const Interface& from, const ArpPacket& packet) {
  sockaddr_ll everybody{};
  everybody.sll_family = AF_PACKET;
  everybody.sll_protocol = htons(ETH_P_ARP);
  everybody.sll_ifindex = from.index;
  everybody.sll_halen = ETH_ALEN;
  std::memset(everybody.sll_addr, 0xff, ETH_ALEN);
  return ::sendto(fd, &packet, sizeof packet, MSG_DONTWAIT,
                  reinterpret_cast<const sockaddr*>(&everybody), sizeof everybody) >= 0;
}

Descriptor open_socket(const Interface& interface) {
  Descriptor socket(
      ::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ARP)));
  sockaddr_ll here{};
  here.sll_family = AF_PACKET;
  here.sll_protocol = htons(ETH_P_ARP);
  here.sll_ifindex = interface.index;
  if (socket && ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0) {
    socket.reset();
  }
  return socket;
}

// The sender of a packet that waits and claims the address, if there is one.
std::optional<std::string> claimed(int fd, const Interface& ours, Ipv4 address) {
  ArpPacket packet{};
  unsigned char wanted[4];
  put(wanted, address);
  while (::recv(fd, &packet, sizeof packet, MSG_DONTWAIT) == ssize_t(sizeof packet)) {
    const bool same = std::memcmp(packet.sender_address, wanted, sizeof wanted) == 0;
    const bool our_own =
        std::memcmp(packet.sender_hardware, ours.hardware.data(), ours.hardware.size()) == 0;
    if (same && !our_own) {
      return fmt::format("{:02x}", fmt::join(packet.sender_hardware, ":"));
    }
  }
  return std::nullopt;
}

}  // namespace

Awaitable<Result<std::optional<std::string>>> find_owner(int index, Ipv4 address) {
  using namespace asio::experimental::awaitable_operators;
  std::optional<std::string> owner;
  const Interface interface = look_up(index);
  if (!interface.speaks_arp) {
    co_return owner;
  }
  Descriptor socket = open_socket(interface);
  if (!socket) {
    const bool denied = errno == EPERM || errno == EACCES;
    co_return fail(
        denied ? ErrorCode::kDenied : ErrorCode::kUnavailable,
        fmt::format("nobody can be asked for the address {}: {}{}", address.str(),
                    std::strerror(errno), denied ? "; the agent needs CAP_NET_RAW for that" : ""));
  }
  const auto executor = co_await asio::this_coro::executor;
  const int fd = socket.get();
  stream_descriptor stream(executor, socket.release());
  asio::steady_timer timer(executor);
  const ArpPacket probe = question(interface, Ipv4(), address);
  for (int i = 0; i < kProbes && !owner; ++i) {
    send(fd, interface, probe);
    timer.expires_after(kProbeGap);
    bool in_time = true;
    while (in_time && !owner) {
      auto readable = stream.async_wait(stream_descriptor::wait_read, kAwait);
      auto over = timer.async_wait(kAwait);
      const auto first = co_await (std::move(readable) || std::move(over));
      in_time = first.index() == 0;
      owner = claimed(fd, interface, address);
    }
  }
  co_return owner;
}

void announce(int index, Ipv4 address) {
  const Interface interface = look_up(index);
  const Descriptor socket = interface.speaks_arp ? open_socket(interface) : Descriptor();
  if (socket) {
    send(socket.get(), interface, question(interface, address, address));
  }
}

}  // namespace hikae::adapters
