#include "adapters/addressing/interface_addresses.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>

#include <fmt/format.h>
#include <net/if.h>

#include "adapters/addressing/arp.h"
#include "adapters/addressing/netlink.h"
#include "base/descriptor.h"

namespace hikae::adapters {
namespace {

constexpr std::string_view kMark = "hikae";
// No more than these are tried one by one.
constexpr std::uint64_t kMaxBound = 1024;

// Tools expect a label that begins with the interface's name; a long name leaves no room for it.
std::string label_on(const std::string& interface) {
  const std::string label = fmt::format("{}:{}", interface, kMark);
  return label.size() < IFNAMSIZ ? label : std::string(kMark);
}

Status bind_once(Ipv4 address) {
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(address.bits());
  const bool bound =
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0;
  return bound ? Status()
               : fail(ErrorCode::kUnavailable,
                      fmt::format("{} cannot be used: {}", address.str(), std::strerror(errno)));
}

}  // namespace

Result<std::unique_ptr<InterfaceAddresses>> InterfaceAddresses::open(const std::string& interface,
                                                                     std::vector<AddressRange> pool,
                                                                     control::Log& log) {
  const int index = int(::if_nametoindex(interface.c_str()));
  if (index == 0) {
    return fail(ErrorCode::kNotFound,
                fmt::format("there is no interface {} for the nodes' addresses", interface));
  }
  return std::unique_ptr<InterfaceAddresses>(
      new InterfaceAddresses(interface, index, std::move(pool), log));
}

InterfaceAddresses::InterfaceAddresses(std::string name, int index, std::vector<AddressRange> pool,
                                       control::Log& log)
    : name_(std::move(name)),
      index_(index),
      label_(label_on(name_)),
      pool_(std::move(pool)),
      log_(log) {}

bool InterfaceAddresses::is_ours(Ipv4 address) const {
  return std::any_of(pool_.begin(), pool_.end(),
                     [&](const AddressRange& range) { return range.contains(address); });
}

control::Awaitable<Status> InterfaceAddresses::hold(Ipv4 address) {
  if (!is_ours(address)) {
    co_return fail(ErrorCode::kInvalid,
                   fmt::format("{} is no address of this host", address.str()));
  }
  const auto present = list_addresses();
  if (!present) {
    co_return tl::unexpected(present.error());
  }
  const auto found = std::find_if(present->begin(), present->end(),
                                  [&](const auto& one) { return one.address == address; });
  if (found != present->end()) {
    co_return Status();
  }
  const auto owner = co_await find_owner(index_, address);
  if (!owner) {
    co_return tl::unexpected(owner.error());
  }
  if (*owner) {
    co_return fail(ErrorCode::kConflict,
                   fmt::format("{} belongs to another machine ({}) on {}; give this host other "
                               "addresses, or free it there",
                               address.str(), **owner, name_));
  }
  const Status added = add_address(index_, address, label_);
  if (added) {
    log_.info(fmt::format("added address {} to {}", address.str(), name_));
    announce(index_, address);
  }
  co_return added;
}

void InterfaceAddresses::keep_only(std::set<Ipv4> wanted) {
  const auto present = list_addresses();
  if (!present) {
    log_.warn(present.error().message);
    return;
  }
  for (const KernelAddress& one : *present) {
    if (one.interface != index_ || one.label != label_ || !is_ours(one.address) ||
        wanted.contains(one.address)) {
      continue;
    }
    const Status removed = remove_address(index_, one.address);
    if (removed) {
      log_.info(fmt::format("removed address {} from {}", one.address.str(), name_));
    } else {
      log_.warn(removed.error().message);
    }
  }
}

Status can_bind(const std::vector<AddressRange>& pool) {
  std::uint64_t tried = 0;
  for (const AddressRange& range : pool) {
    for (std::uint64_t i = 0; i < range.size() && tried < kMaxBound; ++i, ++tried) {
      if (Status bound = bind_once(range.at(i)); !bound) {
        return bound;
      }
    }
  }
  return {};
}

}  // namespace hikae::adapters
