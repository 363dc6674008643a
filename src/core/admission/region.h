#pragma once

#include <string>
#include <vector>

#include "core/admission/admission.h"

namespace hikae::core {

// The default VPC is a /16 and each zone's default subnet a /20.
inline constexpr std::size_t kMaxZones = 16;

struct CreateRegion {
  std::string name;             // `ap-northeast-1`
  std::string account_id;       // 12 digits
  std::string endpoint_hash;    // six of a-z0-9; drawn when empty
  std::string domain;           // `cache.hikae.internal`
  std::vector<ZoneName> zones;  // each the region's name and one letter: `ap-northeast-1b`
  std::string secret_check;     // of the region's secret
  bool one_machine = true;      // nodes run on this machine, not on hosts that join
};

// The transition of the first start, for an empty state: the region, on one machine a host
// `local-<zone>` for every zone, and the default VPC (ordinal 0) with everything in it. Refused
// (InvalidParameterValue, in words for the operator) when the command cannot make a region.
Admitted<Transition> initial_region(const CreateRegion& command, AdmissionContext context);

}  // namespace hikae::core
