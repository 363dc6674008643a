#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "core/admission/admission.h"
#include "core/state/state.h"

// What the families of EC2 share: ids, look-ups with AWS's refusals, rules of tags.

namespace hikae::core {

// A change together with the thing it makes, for the answer.
template <class T>
struct Made {
  T value;
  Transition transition;
};

// `vpc-` gives `vpc-` and 17 hexadecimal digits.
template <class Id>
Id new_ec2_id(std::string_view prefix, AdmissionContext context) {
  constexpr std::size_t kDigits = 17;
  return Id(std::string(prefix) + context.random.hex(kDigits));
}

// Each answers the resource or AWS's refusal for an id that leads nowhere. Never nullptr.
Admitted<const Vpc*> require_vpc(const State& state, const VpcId& id);
Admitted<const Subnet*> require_subnet(const State& state, const SubnetId& id);
Admitted<const SecurityGroup*> require_security_group(const State& state,
                                                      const SecurityGroupId& id);
Admitted<const RouteTable*> require_route_table(const State& state, const RouteTableId& id);
Admitted<const InternetGateway*> require_internet_gateway(const State& state,
                                                          const InternetGatewayId& id);

// nullptr when the region has none.
const Vpc* find_default_vpc(const State& state);

// Nodes that are placed in each subnet; subnets without nodes are absent.
std::map<SubnetId, int> count_nodes_by_subnet(const State& state);

// All tags of one resource: at most 50, keys of 1 to 128 characters that do not begin with `aws:`,
// values of at most 256 (EC2 user guide, tag restrictions).
Admitted<void> check_ec2_tags(const Tags& tags);

}  // namespace hikae::core
