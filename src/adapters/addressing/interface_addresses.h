#pragma once

#include <memory>
#include <string>
#include <vector>

#include "control/ports.h"

namespace hikae::adapters {

// Addresses of nodes on an interface of this machine: added when a node needs one and nobody else
// on the network has it, removed when no node does. Each carries a label of ours, so that no
// address of the machine itself is ever removed, and those of an earlier run are known.
class InterfaceAddresses final : public control::Addressing {
 public:
  // `pool`: what this host may use. kNotFound: there is no such interface. kDenied: this process
  // may not change its addresses.
  static Result<std::unique_ptr<InterfaceAddresses>> open(const std::string& interface,
                                                          std::vector<AddressRange> pool,
                                                          control::Log& log);

  control::Awaitable<Status> hold(Ipv4 address) override;
  void keep_only(std::set<Ipv4> wanted) override;

 private:
  InterfaceAddresses(std::string name, int index, std::vector<AddressRange> pool,
                     control::Log& log);
  bool is_ours(Ipv4 address) const;

  std::string name_;
  int index_;
  std::string label_;
  std::vector<AddressRange> pool_;
  control::Log& log_;
};

// Whether a program of this machine can bind every address of the pool now; the error names the
// first one that it cannot.
Status can_bind(const std::vector<AddressRange>& pool);

}  // namespace hikae::adapters
