#include "core/admission/region.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/admission/ec2_vpc.h"
#include "core/admission/host.h"

namespace hikae::core {
namespace {

constexpr std::size_t kAccountIdLength = 12;
constexpr std::size_t kEndpointHashLength = 6;
constexpr std::size_t kMaxRegionNameLength = 32;
constexpr std::string_view kHashAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789";

bool is_made_of(std::string_view text, std::string_view alphabet) {
  return text.find_first_not_of(alphabet) == std::string_view::npos;
}

bool is_zone_of(const ZoneName& zone, const std::string& region) {
  const std::string& name = zone.str();
  return name.size() == region.size() + 1 && name.starts_with(region) && name.back() >= 'a' &&
         name.back() <= 'z';
}

tl::unexpected<Fault> invalid(std::string message) {
  return refuse("InvalidParameterValue", std::move(message));
}

Admitted<void> check(const CreateRegion& command) {
  if (command.name.empty() || command.name.size() > kMaxRegionNameLength ||
      !is_made_of(command.name, "abcdefghijklmnopqrstuvwxyz0123456789-")) {
    return invalid(fmt::format(
        "The region name '{}' must have 1 to {} lower-case letters, digits and hyphens.",
        command.name, kMaxRegionNameLength));
  }
  if (command.account_id.size() != kAccountIdLength ||
      !is_made_of(command.account_id, "0123456789")) {
    return invalid(fmt::format("The account id '{}' must have 12 digits.", command.account_id));
  }
  if (!command.endpoint_hash.empty() && (command.endpoint_hash.size() != kEndpointHashLength ||
                                         !is_made_of(command.endpoint_hash, kHashAlphabet))) {
    return invalid(fmt::format("The endpoint hash '{}' must have 6 lower-case letters and digits.",
                               command.endpoint_hash));
  }
  if (command.domain.empty()) {
    return invalid("The region needs a domain for its endpoint names.");
  }
  if (command.zones.empty() || command.zones.size() > kMaxZones) {
    return invalid(fmt::format("A region has 1 to {} availability zones.", kMaxZones));
  }
  std::set<ZoneName> seen;
  for (const ZoneName& zone : command.zones) {
    if (!is_zone_of(zone, command.name)) {
      return invalid(fmt::format("The zone '{}' must be '{}' followed by one lower-case letter.",
                                 zone.str(), command.name));
    }
    if (!seen.insert(zone).second) {
      return invalid(fmt::format("The zone '{}' is named twice.", zone.str()));
    }
  }
  return {};
}

}  // namespace

Admitted<Transition> initial_region(const CreateRegion& command, AdmissionContext context) {
  if (auto checked = check(command); !checked) {
    return tl::unexpected(checked.error());
  }
  Region region;
  region.name = command.name;
  region.account_id = command.account_id;
  region.endpoint_hash = command.endpoint_hash;
  if (region.endpoint_hash.empty()) {
    // A label that begins with a letter looks like AWS's own, and no client takes it for a number.
    region.endpoint_hash = context.random.text(1, kHashAlphabet.substr(0, 26));
    region.endpoint_hash += context.random.text(kEndpointHashLength - 1, kHashAlphabet);
  }
  region.domain = command.domain;
  region.zones = command.zones;
  std::sort(region.zones.begin(), region.zones.end());
  region.secret_check = command.secret_check;

  Transition transition;
  transition.put(region);
  for (const ZoneName& zone : region.zones) {
    if (command.one_machine) {
      transition.put(stand_in_for(zone));
    }
  }
  Made<Vpc> vpc = make_default_vpc(region.zones, 0, context);
  transition.append(std::move(vpc.transition));
  return transition;
}

}  // namespace hikae::core
