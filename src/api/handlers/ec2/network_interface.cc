#include <fmt/format.h>

#include "api/generated/ec2_handlers.h"
#include "api/handlers/ec2/describe.h"
#include "api/handlers/ec2/shapes.h"
#include "core/catalog/region_codes.h"

// Network interfaces have no records: every placed node of a cache cluster has one.

namespace hikae::api::ec2::handlers {
namespace {

constexpr std::string_view kRequester = "amazon-elasticache";

// A locally administered address made from the node's own, so that it is stable and unique in a
// VPC.
std::string mac_of(Ipv4 address) {
  const std::uint32_t bits = address.bits();
  return fmt::format("02:00:{:02x}:{:02x}:{:02x}:{:02x}", bits >> 24, bits >> 16 & 0xff,
                     bits >> 8 & 0xff, bits & 0xff);
}

std::string private_dns_name(const core::Region& region, Ipv4 address) {
  std::string dashes = address.str();
  std::replace(dashes.begin(), dashes.end(), '.', '-');
  return fmt::format("ip-{}.{}.compute.internal", dashes, region.name);
}

std::vector<GroupIdentifier> groups_of(const core::State& state,
                                       const core::CacheCluster& cluster) {
  std::vector<GroupIdentifier> groups;
  for (const core::SecurityGroupId& id : cluster.settings.security_groups) {
    GroupIdentifier& group = groups.emplace_back();
    group.group_id = id.str();
    if (const auto* record = state.find<core::SecurityGroup>(id)) {
      group.group_name = record->name;
    }
  }
  return groups;
}

NetworkInterfaceAttachment attachment_of(const core::Node& node) {
  NetworkInterfaceAttachment attachment;
  attachment.attach_time = node.created_at;
  attachment.attachment_id = derived_id("ela-attach-", node.network_interface.str());
  attachment.delete_on_termination = false;
  attachment.device_index = 1;
  attachment.status = "attached";
  return attachment;
}

NetworkInterface interface_shape(const core::State& state, const core::CacheCluster& cluster,
                                 const core::Node& node) {
  const core::Region& region = state.region();
  const bool several = cluster.nodes.size() > 1;
  NetworkInterface shape;
  shape.attachment = attachment_of(node);
  shape.availability_zone = node.zone.str();
  shape.availability_zone_id = core::zone_id(region.name, node.zone.str());
  shape.description =
      fmt::format("ElastiCache {}{}", cluster.id.str(), several ? "+" + node.id.str() : "");
  shape.groups = groups_of(state, cluster);
  shape.interface_type = "interface";
  shape.ipv6_addresses.emplace();
  shape.mac_address = mac_of(node.vpc_address);
  shape.network_interface_id = node.network_interface.str();
  shape.owner_id = region.account_id;
  shape.private_dns_name = private_dns_name(region, node.vpc_address);
  shape.private_ip_address = node.vpc_address.str();
  NetworkInterfacePrivateIpAddress address;
  address.primary = true;
  address.private_dns_name = shape.private_dns_name;
  address.private_ip_address = shape.private_ip_address;
  shape.private_ip_addresses = {address};
  shape.requester_id = std::string(kRequester);
  shape.requester_managed = true;
  shape.source_dest_check = true;
  shape.status = "in-use";
  shape.subnet_id = node.subnet.str();
  shape.tag_set.emplace();
  if (const auto* subnet = state.find<core::Subnet>(node.subnet)) {
    shape.vpc_id = subnet->vpc.str();
  }
  return shape;
}

FilterValues of_groups(const NetworkInterface& interface,
                       std::optional<std::string> GroupIdentifier::* member) {
  FilterValues values;
  for (const GroupIdentifier& group : *interface.groups) {
    values.push_back((group.*member).value_or(""));
  }
  return values;
}

const FilterTable<NetworkInterface>& interface_filters() {
  using Eni = NetworkInterface;
  static const FilterTable<Eni> table(
      {
          {"network-interface-id",
           [](const Eni& e) { return filter_text(e.network_interface_id); }},
          {"subnet-id", [](const Eni& e) { return filter_text(e.subnet_id); }},
          {"vpc-id", [](const Eni& e) { return filter_text(e.vpc_id); }},
          {"group-id", [](const Eni& e) { return of_groups(e, &GroupIdentifier::group_id); }},
          {"group-name", [](const Eni& e) { return of_groups(e, &GroupIdentifier::group_name); }},
          {"availability-zone", [](const Eni& e) { return filter_text(e.availability_zone); }},
          {"availability-zone-id",
           [](const Eni& e) { return filter_text(e.availability_zone_id); }},
          {"description", [](const Eni& e) { return filter_text(e.description); }},
          {"interface-type", [](const Eni& e) { return filter_text(e.interface_type); }},
          {"mac-address", [](const Eni& e) { return filter_text(e.mac_address); }},
          {"owner-id", [](const Eni& e) { return filter_text(e.owner_id); }},
          {"private-ip-address", [](const Eni& e) { return filter_text(e.private_ip_address); }},
          {"addresses.private-ip-address",
           [](const Eni& e) { return filter_text(e.private_ip_address); }},
          {"addresses.primary", [](const Eni&) { return FilterValues{"true"}; }},
          {"private-dns-name", [](const Eni& e) { return filter_text(e.private_dns_name); }},
          {"requester-id", [](const Eni& e) { return filter_text(e.requester_id); }},
          {"requester-managed", [](const Eni& e) { return filter_text(e.requester_managed); }},
          {"source-dest-check", [](const Eni& e) { return filter_text(e.source_dest_check); }},
          {"status", [](const Eni& e) { return filter_text(e.status); }},
          {"attachment.attachment-id",
           [](const Eni& e) { return filter_text(e.attachment->attachment_id); }},
          {"attachment.device-index",
           [](const Eni& e) { return filter_text(e.attachment->device_index); }},
          {"attachment.status", [](const Eni& e) { return filter_text(e.attachment->status); }},
          {"attachment.instance-owner-id",
           [](const Eni&) { return FilterValues{std::string(kRequester)}; }},
          {"attachment.instance-id", [](const Eni&) { return FilterValues{}; }},
          {"association.public-ip", [](const Eni&) { return FilterValues{}; }},
          {"association.allocation-id", [](const Eni&) { return FilterValues{}; }},
          {"ipv6-addresses.ipv6-address", [](const Eni&) { return FilterValues{}; }},
      },
      [](const Eni& e) -> const TagList& { return e.tag_set; });
  return table;
}

ApiResult<std::vector<NetworkInterface>> select_interfaces(const core::State& state,
                                                           const Ids& ids) {
  std::map<std::string, NetworkInterface> all;
  for (const auto& [id, cluster] : state.all<core::CacheCluster>()) {
    for (const core::Node& node : cluster.nodes) {
      if (!node.network_interface.empty()) {
        all.emplace(node.network_interface.str(), interface_shape(state, cluster, node));
      }
    }
  }
  std::vector<NetworkInterface> selected;
  if (!ids || ids->empty()) {
    for (auto& [id, interface] : all) {
      selected.push_back(std::move(interface));
    }
    return selected;
  }
  for (const std::string& id : std::set<std::string>(ids->begin(), ids->end())) {
    const auto it = all.find(id);
    if (it == all.end()) {
      return refuse("InvalidNetworkInterfaceID.NotFound",
                    fmt::format("The networkInterface ID '{}' does not exist", id));
    }
    selected.push_back(std::move(it->second));
  }
  return selected;
}

}  // namespace

AsyncResult<DescribeNetworkInterfacesResult> describe_network_interfaces(
    HandlerContext& context, DescribeNetworkInterfacesRequest input) {
  auto selected = select_interfaces(state_of(context), input.network_interface_ids);
  auto page =
      finish_describe(input, input.network_interface_ids, std::move(selected), interface_filters(),
                      [](const NetworkInterface& eni) { return *eni.network_interface_id; });
  if (!page) {
    co_return tl::unexpected(page.error());
  }
  DescribeNetworkInterfacesResult result;
  result.network_interfaces = std::move(page->items);
  result.next_token = std::move(page->next_token);
  co_return result;
}

}  // namespace hikae::api::ec2::handlers
