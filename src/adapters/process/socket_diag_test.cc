#include "adapters/process/socket_diag.h"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "adapters/process/posix.h"

namespace hikae::adapters {
namespace {

// What the kernel says of us: the permission that it asks for.
bool may_end_sockets() {
  constexpr std::uint64_t kNetAdmin = 1u << 12;
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word == "CapEff:" && status >> word) {
      return (std::stoull(word, nullptr, 16) & kNetAdmin) != 0;
    }
  }
  return false;
}

sockaddr_in socket_address(Ipv4 address, std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = htonl(address.bits());
  out.sin_port = htons(port);
  return out;
}

class SocketDiag : public ::testing::Test {
 protected:
  void SetUp() override { listener_ = listen_on(kServer, 0); }

  Descriptor listen_on(Ipv4 address, std::uint16_t port) {
    Descriptor out(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in where = socket_address(address, port);
    socklen_t size = sizeof where;
    auto* raw = reinterpret_cast<sockaddr*>(&where);
    EXPECT_EQ(::bind(out.get(), raw, size), 0);
    EXPECT_EQ(::listen(out.get(), 8), 0);
    EXPECT_EQ(::getsockname(out.get(), raw, &size), 0);
    port_ = ntohs(where.sin_port);
    return out;
  }
  // The client's end of a connection from that address; -1 with errno when it is refused.
  Descriptor connect_from(Ipv4 source, Ipv4 target = kServer) {
    Descriptor out(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in from = socket_address(source, 0);
    EXPECT_EQ(::bind(out.get(), reinterpret_cast<sockaddr*>(&from), sizeof from), 0);
    sockaddr_in to = socket_address(target, port_);
    const int done = ::connect(out.get(), reinterpret_cast<sockaddr*>(&to), sizeof to);
    return done == 0 ? std::move(out) : Descriptor();
  }
  Descriptor accept() { return Descriptor(::accept4(listener_.get(), nullptr, nullptr, 0)); }
  static bool is_reset(const Descriptor& client) {
    pollfd entry{client.get(), POLLIN, 0};
    char byte = 0;
    return ::poll(&entry, 1, 0) == 1 && ::recv(client.get(), &byte, 1, 0) < 0 &&
           errno == ECONNRESET;
  }
  Result<std::size_t> destroy(SocketSelection::Kind kind, std::vector<Ipv4> spared = {}) {
    SocketSelection selection;
    selection.kind = kind;
    selection.address = kServer;
    selection.port = port_;
    selection.spared = std::move(spared);
    return destroy_sockets({selection});
  }

  static constexpr Ipv4 kServer{127u << 24 | 98u << 16 | 1};
  static constexpr Ipv4 kClient{127u << 24 | 98u << 16 | 2};
  static constexpr Ipv4 kReplica{127u << 24 | 98u << 16 | 3};
  static constexpr Ipv4 kNeighbour{127u << 24 | 98u << 16 | 4};
  Descriptor listener_;
  std::uint16_t port_ = 0;
};

TEST_F(SocketDiag, ResetsTheClientsOfOneAddressAndPortAndSparesReplicas) {
  if (!may_end_sockets()) {
    EXPECT_EQ(probe_socket_destroy().error().code, ErrorCode::kDenied);
    return;
  }
  EXPECT_TRUE(probe_socket_destroy());
  const Descriptor client = connect_from(kClient);
  const Descriptor replica = connect_from(kReplica);
  const Descriptor at_client = accept();
  const Descriptor at_replica = accept();
  const Descriptor neighbour = listen_on(kNeighbour, port_);
  const Descriptor elsewhere = connect_from(kClient, kNeighbour);
  EXPECT_EQ(destroy(SocketSelection::Kind::kConnected, {kReplica}), 1u);
  EXPECT_TRUE(is_reset(client));
  EXPECT_FALSE(is_reset(replica));
  EXPECT_FALSE(is_reset(elsewhere));
  EXPECT_TRUE(connect_from(kClient)) << "it still listens";
}

TEST_F(SocketDiag, WhatListenedRefusesAlsoThoseWhoWait) {
  if (!may_end_sockets()) {
    EXPECT_EQ(destroy(SocketSelection::Kind::kListening).error().code, ErrorCode::kDenied);
    return;
  }
  const Descriptor accepted = connect_from(kClient);
  const Descriptor at_accepted = accept();
  const Descriptor waiting = connect_from(kClient);
  EXPECT_EQ(destroy(SocketSelection::Kind::kListening), 1u);
  EXPECT_FALSE(connect_from(kClient));
  EXPECT_TRUE(is_reset(waiting));
  EXPECT_FALSE(is_reset(accepted));
  EXPECT_EQ(destroy(SocketSelection::Kind::kListening), 0u) << "nothing is left to end";
}

TEST_F(SocketDiag, AnOrdinaryUserIsDenied) {
  EXPECT_EXIT(
      {
        constexpr uid_t kNobody = 65534;
        const bool ordinary = ::geteuid() != 0 || ::setuid(kNobody) == 0;
        const auto probed = probe_socket_destroy();
        const bool denied = !probed && probed.error().code == ErrorCode::kDenied;
        std::_Exit(ordinary && denied ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace hikae::adapters
