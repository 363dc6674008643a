#include "adapters/process/socket_diag.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <functional>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <sys/socket.h>
#include <sys/time.h>

#include <fmt/format.h>

#include "adapters/process/posix.h"

namespace hikae::adapters {
namespace {

// The kernel answers within its own call; this only bounds what cannot happen.
constexpr timeval kPatience{1, 0};

constexpr std::uint32_t bit(int state) {
  return 1u << state;
}
// A connection in one of the others is over already.
constexpr std::uint32_t kConnectedStates = bit(TCP_ESTABLISHED) | bit(TCP_SYN_RECV) |
                                           bit(TCP_FIN_WAIT1) | bit(TCP_FIN_WAIT2) |
                                           bit(TCP_CLOSE_WAIT) | bit(TCP_LAST_ACK);

// inet_diag_hostcond, whose address is an array without a length there.
struct HostCondition {
  std::uint8_t family = AF_INET;
  std::uint8_t prefix_length = 32;
  std::int32_t port = 0;
  std::uint32_t address = 0;  // network byte order
};
static_assert(sizeof(HostCondition) == sizeof(inet_diag_hostcond) + sizeof(std::uint32_t));

// The kernel's filter: one condition, on the local address and port. `yes` leads to the end of the
// program, which accepts; `no` beyond it, which rejects.
struct LocalEndFilter {
  nlattr header{};
  inet_diag_bc_op operation{};
  HostCondition condition;
};

struct DumpRequest {
  nlmsghdr header{};
  inet_diag_req_v2 request{};
  LocalEndFilter filter;
};

// About one socket.
struct SocketRequest {
  nlmsghdr header{};
  inet_diag_req_v2 request{};
};

SocketRequest socket_request(std::uint16_t type, const inet_diag_sockid& id) {
  SocketRequest out;
  out.header.nlmsg_len = sizeof out;
  out.header.nlmsg_type = type;
  out.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  out.request.sdiag_family = AF_INET;
  out.request.sdiag_protocol = IPPROTO_TCP;
  out.request.idiag_states = ~0u;
  out.request.id = id;
  return out;
}

// A listening socket has no other end, and whichever there is will do.
inet_diag_sockid listening_id(const SocketSelection& selection) {
  inet_diag_sockid out{};
  out.idiag_sport = htons(selection.port);
  out.idiag_src[0] = htonl(selection.address.bits());
  out.idiag_cookie[0] = out.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  return out;
}

LocalEndFilter local_end_filter(const SocketSelection& selection) {
  LocalEndFilter out;
  constexpr auto kProgram = sizeof out - sizeof out.header;
  out.header.nla_len = sizeof out;
  out.header.nla_type = INET_DIAG_REQ_BYTECODE;
  out.operation.code = INET_DIAG_BC_S_COND;
  out.operation.yes = kProgram;
  out.operation.no = kProgram + 4;
  out.condition.port = selection.port;
  out.condition.address = htonl(selection.address.bits());
  return out;
}

// Of all connections of the machine, or of those of one local end.
DumpRequest dump_request(const std::vector<SocketSelection>& selections) {
  DumpRequest out;
  const bool one = selections.size() == 1;
  out.header.nlmsg_len = one ? sizeof out : offsetof(DumpRequest, filter);
  out.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  out.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  out.request.sdiag_family = AF_INET;
  out.request.sdiag_protocol = IPPROTO_TCP;
  out.request.idiag_states = kConnectedStates;
  if (one) {
    out.filter = local_end_filter(selections.front());
  }
  return out;
}

bool is_selected(const SocketSelection& selection, const inet_diag_sockid& id) {
  const auto& spared = selection.spared;
  return ntohl(id.idiag_src[0]) == selection.address.bits() &&
         ntohs(id.idiag_sport) == selection.port &&
         std::find(spared.begin(), spared.end(), Ipv4(ntohl(id.idiag_dst[0]))) == spared.end();
}

class SockDiag {
 public:
  Status open() {
    socket_ = Descriptor(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    if (!socket_) {
      return posix_failure(errno, "cannot ask the kernel for sockets");
    }
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    return {};
  }

  // One that listens there. The kernel looks it up, where it goes through all sockets of the
  // machine for a list. It also knows one that listens on every address, which is not meant.
  Result<std::vector<inet_diag_msg>> find_listening(const SocketSelection& selection) {
    std::vector<inet_diag_msg> found;
    const auto take = [&](const inet_diag_msg& one) {
      if (ntohl(one.id.idiag_src[0]) == selection.address.bits() && one.idiag_state == TCP_LISTEN) {
        found.push_back(one);
      }
    };
    const SocketRequest request = socket_request(SOCK_DIAG_BY_FAMILY, listening_id(selection));
    const int error = exchange(&request, sizeof request, take);
    if (error != 0 && error != ENOENT) {
      return posix_failure(error, "cannot look up a socket");
    }
    return found;
  }

  Result<std::vector<inet_diag_msg>> find_connected(
      const std::vector<SocketSelection>& selections) {
    std::vector<inet_diag_msg> found;
    const auto take = [&](const inet_diag_msg& one) {
      if (std::any_of(selections.begin(), selections.end(),
                      [&](const auto& selection) { return is_selected(selection, one.id); })) {
        found.push_back(one);
      }
    };
    const DumpRequest request = dump_request(selections);
    const int error = exchange(&request, request.header.nlmsg_len, take);
    if (error != 0) {
      return posix_failure(error, "cannot list sockets");
    }
    return found;
  }

  // An errno; 0 also for a socket that is gone meanwhile.
  int destroy(const inet_diag_msg& one) {
    const SocketRequest request = socket_request(SOCK_DESTROY, one.id);
    const int error = exchange(&request, sizeof request, [](const inet_diag_msg&) {});
    return error == ENOENT ? 0 : error;
  }

 private:
  using Visit = std::function<void(const inet_diag_msg&)>;

  // Sends a request and reads until its end. An errno; 0 when the kernel was content.
  int exchange(const void* request, std::size_t size, const Visit& visit) {
    if (::send(socket_.get(), request, size, 0) < 0) {
      return errno;
    }
    while (true) {
      const ssize_t received = ::recv(socket_.get(), buffer_.data(), buffer_.size(), 0);
      if (received < 0) {
        return errno;
      }
      if (const auto end = read_messages(std::size_t(received), visit)) {
        return *end;
      }
    }
  }

  // The errno with which the answer ended, if it did in what was received.
  std::optional<int> read_messages(std::size_t size, const Visit& visit) {
    auto* header = reinterpret_cast<nlmsghdr*>(buffer_.data());
    for (; NLMSG_OK(header, size); header = NLMSG_NEXT(header, size)) {
      const std::size_t content = NLMSG_PAYLOAD(header, 0);
      if (header->nlmsg_type == NLMSG_DONE) {
        return 0;
      }
      if (header->nlmsg_type == NLMSG_ERROR && content >= sizeof(nlmsgerr)) {
        return -static_cast<const nlmsgerr*>(NLMSG_DATA(header))->error;
      }
      if (header->nlmsg_type == SOCK_DIAG_BY_FAMILY && content >= sizeof(inet_diag_msg)) {
        visit(*static_cast<const inet_diag_msg*>(NLMSG_DATA(header)));
      }
    }
    return std::nullopt;
  }

  Descriptor socket_;
  alignas(nlmsghdr) std::array<char, 32 * 1024> buffer_;
};

Status destroy_all(SockDiag& kernel, const std::vector<inet_diag_msg>& sockets) {
  for (const inet_diag_msg& one : sockets) {
    const int error = kernel.destroy(one);
    if (error == EOPNOTSUPP) {
      return fail(ErrorCode::kUnavailable,
                  "this kernel cannot end sockets of others (CONFIG_INET_DIAG_DESTROY)");
    }
    if (error != 0) {
      return posix_failure(error, "ending sockets of others needs CAP_NET_ADMIN");
    }
  }
  return {};
}

// Several may share an address, and only one of them is found at a time.
constexpr std::size_t kMostListening = 64;

Result<std::size_t> destroy_listening(SockDiag& kernel, const SocketSelection& selection) {
  std::size_t ended = 0;
  while (ended < kMostListening) {
    const auto found = kernel.find_listening(selection);
    if (!found) {
      return tl::unexpected(found.error());
    }
    if (Status done = destroy_all(kernel, *found); !done) {
      return tl::unexpected(done.error());
    }
    if (found->empty()) {
      break;
    }
    ended += found->size();
  }
  return ended;
}

Result<std::size_t> destroy_connected(SockDiag& kernel,
                                      const std::vector<SocketSelection>& selections) {
  if (selections.empty()) {
    return 0;
  }
  const auto found = kernel.find_connected(selections);
  if (!found) {
    return tl::unexpected(found.error());
  }
  const Status done = destroy_all(kernel, *found);
  return done ? Result<std::size_t>(found->size()) : tl::unexpected(done.error());
}

}  // namespace

Result<std::size_t> destroy_sockets(const std::vector<SocketSelection>& selections) {
  SockDiag kernel;
  if (Status opened = kernel.open(); !opened) {
    return tl::unexpected(opened.error());
  }
  std::size_t ended = 0;
  std::vector<SocketSelection> connected;
  for (const SocketSelection& selection : selections) {
    if (selection.kind == SocketSelection::Kind::kConnected) {
      connected.push_back(selection);
      continue;
    }
    const auto listening = destroy_listening(kernel, selection);
    if (!listening) {
      return listening;
    }
    ended += *listening;
  }
  const auto others = destroy_connected(kernel, connected);
  return others ? Result<std::size_t>(ended + *others) : others;
}

Status probe_socket_destroy() {
  const Descriptor own(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  auto* address = reinterpret_cast<sockaddr*>(&where);
  if (!own || ::bind(own.get(), address, size) != 0 || ::listen(own.get(), 1) != 0 ||
      ::getsockname(own.get(), address, &size) != 0) {
    return posix_failure(errno, "cannot open a socket");
  }
  SocketSelection selection;
  selection.address = Ipv4(INADDR_LOOPBACK);
  selection.port = ntohs(where.sin_port);
  const auto ended = destroy_sockets({selection});
  if (!ended) {
    return tl::unexpected(ended.error());
  }
  return *ended == 1 ? Status() : fail(ErrorCode::kUnavailable, "the kernel lists no sockets");
}

}  // namespace hikae::adapters
