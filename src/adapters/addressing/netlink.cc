#include "adapters/addressing/netlink.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>

#include <fmt/format.h>

#include "base/descriptor.h"

namespace hikae::adapters {
namespace {

constexpr std::size_t kReceiveBytes = 64 * 1024;
constexpr int kMaxAnswers = 10'000;  // datagrams of one dump
constexpr timeval kPatience{2, 0};

// A request about an address, as it goes to the kernel.
struct Request {
  nlmsghdr header;
  ifaddrmsg message;
  char attributes[128];
};

Request make_request(std::uint16_t type, int flags, int interface) {
  Request request;
  std::memset(&request, 0, sizeof request);
  request.header.nlmsg_len = NLMSG_LENGTH(sizeof(ifaddrmsg));
  request.header.nlmsg_type = type;
  request.header.nlmsg_flags = std::uint16_t(NLM_F_REQUEST | flags);
  request.message.ifa_family = AF_INET;
  request.message.ifa_prefixlen = 32;
  request.message.ifa_index = std::uint32_t(interface);
  return request;
}

void add_attribute(Request& request, std::uint16_t type, const void* data, std::size_t size) {
  char* at = reinterpret_cast<char*>(&request) + NLMSG_ALIGN(request.header.nlmsg_len);
  rtattr header{};
  header.rta_type = type;
  header.rta_len = std::uint16_t(RTA_LENGTH(size));
  std::memcpy(at, &header, sizeof header);
  std::memcpy(at + RTA_LENGTH(0), data, size);
  request.header.nlmsg_len = NLMSG_ALIGN(request.header.nlmsg_len) + RTA_ALIGN(header.rta_len);
}

void add_address_attributes(Request& request, Ipv4 address) {
  const std::uint32_t bits = htonl(address.bits());
  add_attribute(request, IFA_LOCAL, &bits, sizeof bits);
  add_attribute(request, IFA_ADDRESS, &bits, sizeof bits);
}

tl::unexpected<Error> failure(int error, std::string_view what) {
  const bool denied = error == EPERM || error == EACCES;
  return fail(denied ? ErrorCode::kDenied : ErrorCode::kUnavailable,
              fmt::format("{}: {}{}", what, std::strerror(error),
                          denied ? "; the agent needs CAP_NET_ADMIN for that" : ""));
}

KernelAddress read_address(const nlmsghdr* header) {
  KernelAddress out;
  ifaddrmsg message{};
  std::memcpy(&message, NLMSG_DATA(header), sizeof message);
  out.interface = int(message.ifa_index);
  const auto* attribute = reinterpret_cast<const rtattr*>(
      static_cast<const char*>(NLMSG_DATA(header)) + NLMSG_ALIGN(sizeof(ifaddrmsg)));
  auto left = int(header->nlmsg_len - NLMSG_LENGTH(sizeof(ifaddrmsg)));
  for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
    const auto size = std::size_t(RTA_PAYLOAD(attribute));
    const auto* data = static_cast<const char*>(RTA_DATA(attribute));
    if (attribute->rta_type == IFA_LOCAL && size == sizeof(std::uint32_t)) {
      std::uint32_t bits = 0;
      std::memcpy(&bits, data, sizeof bits);
      out.address = Ipv4(ntohl(bits));
    } else if (attribute->rta_type == IFA_LABEL && size > 0) {
      out.label = std::string(data, ::strnlen(data, size));
    }
  }
  return out;
}

struct Answer {
  std::vector<KernelAddress> addresses;
  int error = 0;  // what the kernel says to the request, as in errno
};

// Reads one datagram. True: the answer is complete.
Result<bool> read_answer(int fd, std::vector<char>& buffer, Answer& out) {
  const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
  if (got < 0) {
    return failure(errno, "the kernel does not answer about addresses");
  }
  auto left = std::size_t(got);
  const auto* header = reinterpret_cast<const nlmsghdr*>(buffer.data());
  for (; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
    if (header->nlmsg_type == NLMSG_DONE) {
      return true;
    }
    if (header->nlmsg_type == NLMSG_ERROR) {
      nlmsgerr error{};
      std::memcpy(&error, NLMSG_DATA(header), sizeof error.error);
      out.error = -error.error;
      return true;
    }
    if (header->nlmsg_type == RTM_NEWADDR) {
      out.addresses.push_back(read_address(header));
    }
  }
  return false;
}

Result<Answer> converse(const Request& request, std::string_view what) {
  const Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  if (::send(socket.get(), &request, request.header.nlmsg_len, 0) < 0) {
    return failure(errno, what);
  }
  std::vector<char> buffer(kReceiveBytes);
  Answer out;
  for (int i = 0; i < kMaxAnswers; ++i) {
    const auto complete = read_answer(socket.get(), buffer, out);
    if (!complete) {
      return tl::unexpected(complete.error());
    }
    if (*complete) {
      return out;
    }
  }
  return fail(ErrorCode::kExhausted, "the kernel's answer about addresses does not end");
}

// The answer `fine` is no error.
Status ask(const Request& request, int fine, const std::string& what) {
  const auto answer = converse(request, what);
  if (!answer) {
    return tl::unexpected(answer.error());
  }
  return answer->error == 0 || answer->error == fine ? Status() : failure(answer->error, what);
}

}  // namespace

Result<std::vector<KernelAddress>> list_addresses() {
  constexpr std::string_view kWhat = "addresses cannot be listed";
  auto answer = converse(make_request(RTM_GETADDR, NLM_F_DUMP, 0), kWhat);
  if (!answer) {
    return tl::unexpected(answer.error());
  }
  if (answer->error != 0) {
    return failure(answer->error, kWhat);
  }
  return std::move(answer->addresses);
}

Status add_address(int interface, Ipv4 address, const std::string& label) {
  Request request = make_request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, interface);
  add_address_attributes(request, address);
  if (label.size() < 16) {  // IFNAMSIZ
    add_attribute(request, IFA_LABEL, label.c_str(), label.size() + 1);
  }
  return ask(request, EEXIST, fmt::format("the address {} cannot be added", address.str()));
}

Status remove_address(int interface, Ipv4 address) {
  Request request = make_request(RTM_DELADDR, NLM_F_ACK, interface);
  add_address_attributes(request, address);
  return ask(request, EADDRNOTAVAIL,
             fmt::format("the address {} cannot be removed", address.str()));
}

}  // namespace hikae::adapters
