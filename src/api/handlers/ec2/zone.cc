#include <algorithm>

#include <fmt/format.h>

#include "api/generated/ec2_handlers.h"
#include "api/handlers/ec2/describe.h"
#include "core/catalog/region_codes.h"

namespace hikae::api::ec2::handlers {
namespace {

constexpr std::string_view kNoOptIn = "opt-in-not-required";

AvailabilityZone zone_shape(const core::Region& region, const core::ZoneName& zone) {
  AvailabilityZone shape;
  shape.opt_in_status = std::string(kNoOptIn);
  shape.messages.emplace();
  shape.region_name = region.name;
  shape.zone_name = zone.str();
  shape.zone_id = core::zone_id(region.name, zone.str());
  shape.group_name = region.name + "-zg-1";
  shape.network_border_group = region.name;
  shape.zone_type = "availability-zone";
  shape.state = "available";
  return shape;
}

const FilterTable<AvailabilityZone>& zone_filters() {
  using Zone = AvailabilityZone;
  static const FilterTable<Zone> table({
      {"zone-name", [](const Zone& z) { return filter_text(z.zone_name); }},
      {"zone-id", [](const Zone& z) { return filter_text(z.zone_id); }},
      {"region-name", [](const Zone& z) { return filter_text(z.region_name); }},
      {"state", [](const Zone& z) { return filter_text(z.state); }},
      {"group-name", [](const Zone& z) { return filter_text(z.group_name); }},
      {"opt-in-status", [](const Zone& z) { return filter_text(z.opt_in_status); }},
      {"zone-type", [](const Zone& z) { return filter_text(z.zone_type); }},
      {"message", [](const Zone&) { return FilterValues{}; }},
      {"parent-zone-id", [](const Zone&) { return FilterValues{}; }},
      {"parent-zone-name", [](const Zone&) { return FilterValues{}; }},
  });
  return table;
}

const FilterTable<Region>& region_filters() {
  static const FilterTable<Region> table({
      {"region-name", [](const Region& r) { return filter_text(r.region_name); }},
      {"endpoint", [](const Region& r) { return filter_text(r.endpoint); }},
      {"opt-in-status", [](const Region& r) { return filter_text(r.opt_in_status); }},
  });
  return table;
}

// Keeps the items that `wanted` names by `member`; refuses a name that none of them has.
template <class T>
ApiResult<void> keep_named(std::vector<T>& items, const Ids& wanted,
                           std::optional<std::string> T::* member, std::string_view what) {
  if (!wanted || wanted->empty()) {
    return {};
  }
  for (const std::string& name : *wanted) {
    const bool known = std::any_of(items.begin(), items.end(),
                                   [&](const T& item) { return item.*member == name; });
    if (!known) {
      return refuse("InvalidParameterValue", fmt::format("Invalid {}: [{}]", what, name));
    }
  }
  std::erase_if(items, [&](const T& item) {
    return std::find(wanted->begin(), wanted->end(), *(item.*member)) == wanted->end();
  });
  return {};
}

}  // namespace

AsyncResult<DescribeAvailabilityZonesResult> describe_availability_zones(
    HandlerContext& context, DescribeAvailabilityZonesRequest input) {
  const core::Region& region = state_of(context).region();
  std::vector<AvailabilityZone> zones;
  for (const core::ZoneName& zone : region.zones) {
    zones.push_back(zone_shape(region, zone));
  }
  if (auto done =
          keep_named(zones, input.zone_names, &AvailabilityZone::zone_name, "availability zone");
      !done) {
    co_return tl::unexpected(done.error());
  }
  if (auto done =
          keep_named(zones, input.zone_ids, &AvailabilityZone::zone_id, "availability zone-id");
      !done) {
    co_return tl::unexpected(done.error());
  }
  if (auto real = check_dry_run(input.dry_run); !real) {
    co_return tl::unexpected(real.error());
  }
  auto filtered = zone_filters().apply(input.filters, std::move(zones));
  if (!filtered) {
    co_return tl::unexpected(filtered.error());
  }
  DescribeAvailabilityZonesResult result;
  result.availability_zones = std::move(*filtered);
  co_return result;
}

// The one region that is served here; AWS's others would lead clients to endpoints that are not
// ours.
AsyncResult<DescribeRegionsResult> describe_regions(HandlerContext& context,
                                                    DescribeRegionsRequest input) {
  const core::Region& here = state_of(context).region();
  Region region;
  region.opt_in_status = std::string(kNoOptIn);
  region.region_name = here.name;
  region.endpoint = fmt::format("ec2.{}.amazonaws.com", here.name);
  std::vector<Region> regions = {region};
  if (auto done = keep_named(regions, input.region_names, &Region::region_name, "region"); !done) {
    co_return tl::unexpected(done.error());
  }
  if (auto real = check_dry_run(input.dry_run); !real) {
    co_return tl::unexpected(real.error());
  }
  auto filtered = region_filters().apply(input.filters, std::move(regions));
  if (!filtered) {
    co_return tl::unexpected(filtered.error());
  }
  DescribeRegionsResult result;
  result.regions = std::move(*filtered);
  co_return result;
}

AsyncResult<DescribeAccountAttributesResult> describe_account_attributes(
    HandlerContext& context, DescribeAccountAttributesRequest input) {
  if (auto real = check_dry_run(input.dry_run); !real) {
    co_return tl::unexpected(real.error());
  }
  const core::Vpc* vpc = core::find_default_vpc(state_of(context));
  const std::string default_vpc = vpc != nullptr ? vpc->id.str() : "none";
  const std::vector<std::pair<std::string, std::string>> attributes = {
      {"supported-platforms", "VPC"}, {"default-vpc", default_vpc}};
  const auto wanted = input.attribute_names.value_or(std::vector<std::string>());
  DescribeAccountAttributesResult result;
  result.account_attributes.emplace();
  for (const auto& [name, value] : attributes) {
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end()) {
      AccountAttribute& attribute = result.account_attributes->emplace_back();
      attribute.attribute_name = name;
      attribute.attribute_values.emplace().push_back(
          AccountAttributeValue{.attribute_value = value});
    }
  }
  co_return result;
}

}  // namespace hikae::api::ec2::handlers
