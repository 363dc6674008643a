#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>

#include "adapters/dns_server/answering.h"

namespace hikae::dns {

// One UDP socket: takes datagrams from the kernel by the batch, answers them, gives the answers
// back by the batch. Two system calls for up to kBatch queries.
class UdpListener {
 public:
  // `socket` is bound. With `any_address` (bound to 0.0.0.0) the answer leaves from the address the
  // query was sent to.
  UdpListener(boost::asio::ip::udp::socket socket, Answering& answering, bool any_address);
  UdpListener(const UdpListener&) = delete;
  UdpListener& operator=(const UdpListener&) = delete;

  void start();  // then runs until the io_context stops

 private:
  static constexpr std::size_t kBatch = 32;
  // Batches in a row before other sockets get their turn.
  static constexpr int kBatchesPerTurn = 16;
  static constexpr std::size_t kMaxQuerySize = 2048;

  struct Slot {
    std::array<std::uint8_t, kMaxQuerySize> query;
    std::array<std::uint8_t, codec::dns::kEdnsUdpLimit> answer;
    sockaddr_in peer;
    iovec query_io;
    iovec answer_io;
    alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(in_pktinfo))> control;
  };

  void wait();
  void drain();
  int receive_batch();
  unsigned answer_batch(int received);
  void send_batch(unsigned count);
  void set_source(msghdr& message) const;

  boost::asio::ip::udp::socket socket_;
  Answering& answering_;
  const bool any_address_;
  std::array<Slot, kBatch> slots_;
  std::array<mmsghdr, kBatch> incoming_;
  std::array<mmsghdr, kBatch> outgoing_;
};

}  // namespace hikae::dns
