#pragma once

#include <optional>
#include <string>

#include "adapters/resp_client/connection.h"
#include "app/drill_targets.h"
#include "base/result.h"

namespace hikae::app {

// Ways to the engines below a data directory. A client of an encrypted group, or of one with users
// or an AUTH token, needs what a drill has not; the administrator may write there, through a socket
// in the node's directory that only the region's owner can open.
class DrillAccess {
 public:
  // `data`: the directory, an absolute path.
  explicit DrillAccess(std::string data) : data_(std::move(data)) {}

  // Reads the region's secret, from which the administrators' passwords derive.
  Status open();

  // The administrative socket of the node at the address, with credentials; nullopt: no node of
  // this directory is there.
  std::optional<resp::Target> administrator_at(const NameTable& names, Ipv4 address) const;

 private:
  std::string data_;
  std::string secret_;
};

}  // namespace hikae::app
