#include "adapters/dns_server/udp_listener.h"

#include <cerrno>
#include <cstring>
#include <utility>

namespace hikae::dns {

UdpListener::UdpListener(boost::asio::ip::udp::socket socket, Answering& answering,
                         bool any_address)
    : socket_(std::move(socket)), answering_(answering), any_address_(any_address) {
  for (Slot& slot : slots_) {
    slot.query_io = iovec{slot.query.data(), slot.query.size()};
  }
}

void UdpListener::start() {
  wait();
}

void UdpListener::wait() {
  socket_.async_wait(boost::asio::ip::udp::socket::wait_read,
                     [this](const boost::system::error_code& error) {
                       if (error) {
                         return;  // closed
                       }
                       drain();
                       wait();
                     });
}

void UdpListener::drain() {
  for (int batch = 0; batch < kBatchesPerTurn; ++batch) {
    const int received = receive_batch();
    if (received <= 0) {
      return;
    }
    answering_.refresh();
    send_batch(answer_batch(received));
    if (static_cast<std::size_t>(received) < kBatch) {
      return;
    }
  }
}

int UdpListener::receive_batch() {
  for (std::size_t i = 0; i < kBatch; ++i) {
    msghdr& header = incoming_[i].msg_hdr;
    header = msghdr{};
    header.msg_name = &slots_[i].peer;
    header.msg_namelen = sizeof slots_[i].peer;
    header.msg_iov = &slots_[i].query_io;
    header.msg_iovlen = 1;
    if (any_address_) {
      header.msg_control = slots_[i].control.data();
      header.msg_controllen = slots_[i].control.size();
    }
  }
  return ::recvmmsg(socket_.native_handle(), incoming_.data(), kBatch, MSG_DONTWAIT, nullptr);
}

unsigned UdpListener::answer_batch(int received) {
  unsigned count = 0;
  for (int i = 0; i < received; ++i) {
    Slot& slot = slots_[static_cast<std::size_t>(i)];
    const mmsghdr& in = incoming_[static_cast<std::size_t>(i)];
    // A query that did not fit is cut here, and answered as malformed.
    const std::size_t size =
        answering_.answer(std::span(slot.query).first(in.msg_len), Transport::kUdp, slot.answer);
    if (size == 0) {
      continue;
    }
    slot.answer_io = iovec{slot.answer.data(), size};
    msghdr& header = outgoing_[count++].msg_hdr;
    header = msghdr{};
    header.msg_name = &slot.peer;
    header.msg_namelen = in.msg_hdr.msg_namelen;
    header.msg_iov = &slot.answer_io;
    header.msg_iovlen = 1;
    if (any_address_ && in.msg_hdr.msg_controllen > 0) {
      header.msg_control = slot.control.data();
      header.msg_controllen = in.msg_hdr.msg_controllen;
      set_source(header);
    }
  }
  return count;
}

// The control data of a received datagram tells where it was sent to; sent back, it says where the
// answer comes from. The interface is left to the routing table.
void UdpListener::set_source(msghdr& message) const {
  for (cmsghdr* control = CMSG_FIRSTHDR(&message); control != nullptr;
       control = CMSG_NXTHDR(&message, control)) {
    if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
      in_pktinfo info;
      std::memcpy(&info, CMSG_DATA(control), sizeof info);
      info.ipi_ifindex = 0;
      info.ipi_spec_dst = info.ipi_addr;
      std::memcpy(CMSG_DATA(control), &info, sizeof info);
    }
  }
}

void UdpListener::send_batch(unsigned count) {
  unsigned done = 0;
  while (done < count) {
    const int sent =
        ::sendmmsg(socket_.native_handle(), outgoing_.data() + done, count - done, MSG_DONTWAIT);
    if (sent > 0) {
      done += static_cast<unsigned>(sent);
      continue;
    }
    if (errno == EINTR) {
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      answering_.count_unsent(count - done);  // clients ask again; waiting would stop everyone
      return;
    }
    answering_.count_unsent(1);  // this peer cannot be reached; the others can
    ++done;
  }
}

}  // namespace hikae::dns
