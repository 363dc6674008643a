#include "api/generated/ec2_handlers.h"
#include "api/handlers/ec2/describe.h"
#include "api/handlers/ec2/shapes.h"
#include "core/admission/ec2_subnet.h"
#include "core/catalog/region_codes.h"

namespace hikae::api::ec2::handlers {
namespace {

Subnet subnet_shape(const core::Region& region, const core::Subnet& subnet, int nodes) {
  Subnet shape;
  shape.availability_zone_id = core::zone_id(region.name, subnet.zone.str());
  shape.owner_id = region.account_id;
  shape.assign_ipv6_address_on_creation = false;
  shape.ipv6_cidr_block_association_set.emplace();
  shape.tags = tags_if_any(subnet.tags);
  shape.subnet_arn = ec2_arn(region, "subnet", subnet.id.str());
  shape.enable_dns64 = false;
  shape.private_dns_name_options_on_launch =
      PrivateDnsNameOptionsOnLaunch{.hostname_type = "ip-name",
                                    .enable_resource_name_dns_a_record = false,
                                    .enable_resource_name_dns_aaaa_record = false};
  shape.subnet_id = subnet.id.str();
  shape.state = "available";
  shape.vpc_id = subnet.vpc.str();
  shape.cidr_block = subnet.cidr.str();
  shape.available_ip_address_count =
      std::int32_t(subnet.cidr.size() - core::kReservedAddresses) - nodes;
  shape.availability_zone = subnet.zone.str();
  shape.default_for_az = subnet.default_for_az;
  shape.map_public_ip_on_launch = subnet.map_public_ip_on_launch;
  return shape;
}

const FilterTable<Subnet>& subnet_filters() {
  static const FilterTable<Subnet> table(
      {
          {"subnet-id", [](const Subnet& s) { return filter_text(s.subnet_id); }},
          {"subnet-arn", [](const Subnet& s) { return filter_text(s.subnet_arn); }},
          {"vpc-id", [](const Subnet& s) { return filter_text(s.vpc_id); }},
          {"availability-zone", [](const Subnet& s) { return filter_text(s.availability_zone); }},
          {"availabilityZone", [](const Subnet& s) { return filter_text(s.availability_zone); }},
          {"availability-zone-id",
           [](const Subnet& s) { return filter_text(s.availability_zone_id); }},
          {"availabilityZoneId",
           [](const Subnet& s) { return filter_text(s.availability_zone_id); }},
          {"available-ip-address-count",
           [](const Subnet& s) { return filter_text(s.available_ip_address_count); }},
          {"cidr", [](const Subnet& s) { return filter_text(s.cidr_block); }},
          {"cidr-block", [](const Subnet& s) { return filter_text(s.cidr_block); }},
          {"cidrBlock", [](const Subnet& s) { return filter_text(s.cidr_block); }},
          {"default-for-az", [](const Subnet& s) { return filter_text(s.default_for_az); }},
          {"defaultForAz", [](const Subnet& s) { return filter_text(s.default_for_az); }},
          {"map-public-ip-on-launch",
           [](const Subnet& s) { return filter_text(s.map_public_ip_on_launch); }},
          {"owner-id", [](const Subnet& s) { return filter_text(s.owner_id); }},
          {"state", [](const Subnet& s) { return filter_text(s.state); }},
          {"ipv6-native", [](const Subnet&) { return FilterValues{"false"}; }},
          {"ipv6-cidr-block-association.ipv6-cidr-block",
           [](const Subnet&) { return FilterValues{}; }},
      },
      [](const Subnet& s) -> const TagList& { return s.tags; });
  return table;
}

bool is_on(const std::optional<AttributeBooleanValue>& attribute) {
  return attribute && attribute->value.value_or(false);
}

}  // namespace

AsyncResult<CreateSubnetResult> create_subnet(HandlerContext& context, CreateSubnetRequest input) {
  auto tags = read_tag_specifications(input.tag_specifications, "subnet");
  if (!tags) {
    co_return tl::unexpected(tags.error());
  }
  core::CreateSubnet command;
  command.vpc = core::VpcId(*input.vpc_id);
  command.cidr = input.cidr_block.value_or("");
  command.zone = input.availability_zone.value_or("");
  command.zone_id = input.availability_zone_id.value_or("");
  command.ipv6 = input.ipv6_cidr_block.has_value();
  command.tags = std::move(*tags);
  Make<core::Subnet> make = [&](const core::State& state, core::AdmissionContext admission) {
    return core::create_subnet(state, command, admission);
  };
  auto made = co_await submit_made<core::Subnet>(context, input.dry_run, std::move(make));
  if (!made) {
    co_return tl::unexpected(made.error());
  }
  CreateSubnetResult result;
  result.subnet = subnet_shape(state_of(context).region(), *made, 0);
  co_return result;
}

AsyncResult<NoOutput> delete_subnet(HandlerContext& context, DeleteSubnetRequest input) {
  const core::SubnetId id(*input.subnet_id);
  Decide decide = [&](const core::State& state, core::AdmissionContext) {
    return core::delete_subnet(state, id);
  };
  co_return co_await submit_change(context, input.dry_run, std::move(decide));
}

AsyncResult<DescribeSubnetsResult> describe_subnets(HandlerContext& context,
                                                    DescribeSubnetsRequest input) {
  const core::State& state = state_of(context);
  const auto nodes = core::count_nodes_by_subnet(state);
  auto selected = select_records<core::Subnet>(
      state, input.subnet_ids, core::require_subnet, [&](const core::Subnet& subnet) {
        const auto it = nodes.find(subnet.id);
        return subnet_shape(state.region(), subnet, it == nodes.end() ? 0 : it->second);
      });
  auto page = finish_describe(input, input.subnet_ids, std::move(selected), subnet_filters(),
                              [](const Subnet& subnet) { return *subnet.subnet_id; });
  if (!page) {
    co_return tl::unexpected(page.error());
  }
  DescribeSubnetsResult result;
  result.subnets = std::move(page->items);
  result.next_token = std::move(page->next_token);
  co_return result;
}

AsyncResult<NoOutput> modify_subnet_attribute(HandlerContext& context,
                                              ModifySubnetAttributeRequest input) {
  if (is_on(input.enable_resource_name_dns_a_record_on_launch)) {
    co_return refuse("UnsupportedOperation",
                     "Resource name DNS records are not available in this region.");
  }
  core::ModifySubnetAttribute command;
  command.subnet = core::SubnetId(*input.subnet_id);
  if (input.map_public_ip_on_launch) {
    command.map_public_ip_on_launch = input.map_public_ip_on_launch->value;
  }
  command.ipv6 = is_on(input.assign_ipv6_address_on_creation) || is_on(input.enable_dns64) ||
                 is_on(input.enable_resource_name_dns_aaaa_record_on_launch);
  Decide decide = [&](const core::State& state, core::AdmissionContext) {
    return core::modify_subnet_attribute(state, command);
  };
  co_return co_await submit_change(context, std::nullopt, std::move(decide));
}

}  // namespace hikae::api::ec2::handlers
