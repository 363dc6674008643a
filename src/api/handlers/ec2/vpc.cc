#include <fmt/format.h>

#include "api/generated/ec2_handlers.h"
#include "api/handlers/ec2/describe.h"
#include "api/handlers/ec2/shapes.h"
#include "core/admission/ec2_vpc.h"

namespace hikae::api::ec2::handlers {
namespace {

// One set of DHCP options serves the region. It has no record; its id comes from the account's.
std::string dhcp_options_id(const core::Region& region) {
  return fmt::format("dopt-{:0>17}", region.account_id);
}

Vpc vpc_shape(const core::Region& region, const core::Vpc& vpc) {
  Vpc shape;
  shape.owner_id = region.account_id;
  shape.instance_tenancy = vpc.instance_tenancy;
  VpcCidrBlockAssociation association;
  association.association_id = derived_id("vpc-cidr-assoc-", vpc.id.str());
  association.cidr_block = vpc.cidr.str();
  association.cidr_block_state = VpcCidrBlockState{.state = "associated", .status_message = {}};
  shape.cidr_block_association_set = {association};
  shape.is_default = vpc.is_default;
  shape.tags = tags_if_any(vpc.tags);
  shape.vpc_id = vpc.id.str();
  shape.state = "available";
  shape.cidr_block = vpc.cidr.str();
  shape.dhcp_options_id = dhcp_options_id(region);
  return shape;
}

const FilterTable<Vpc>& vpc_filters() {
  static const FilterTable<Vpc> table(
      {
          {"vpc-id", [](const Vpc& v) { return filter_text(v.vpc_id); }},
          {"cidr", [](const Vpc& v) { return filter_text(v.cidr_block); }},
          {"cidr-block-association.cidr-block",
           [](const Vpc& v) { return filter_text(v.cidr_block); }},
          {"cidr-block-association.association-id",
           [](const Vpc& v) {
             return filter_text(v.cidr_block_association_set->front().association_id);
           }},
          {"cidr-block-association.state", [](const Vpc&) { return FilterValues{"associated"}; }},
          {"ipv6-cidr-block-association.ipv6-cidr-block",
           [](const Vpc&) { return FilterValues{}; }},
          {"is-default", [](const Vpc& v) { return filter_text(v.is_default); }},
          {"isDefault", [](const Vpc& v) { return filter_text(v.is_default); }},
          {"state", [](const Vpc& v) { return filter_text(v.state); }},
          {"owner-id", [](const Vpc& v) { return filter_text(v.owner_id); }},
          {"dhcp-options-id", [](const Vpc& v) { return filter_text(v.dhcp_options_id); }},
      },
      [](const Vpc& v) -> const TagList& { return v.tags; });
  return table;
}

// nullopt for an attribute the request does not name; a name without a value means false.
std::optional<bool> attribute_value(const std::optional<AttributeBooleanValue>& attribute) {
  return attribute ? attribute->value : std::nullopt;
}

}  // namespace

AsyncResult<CreateVpcResult> create_vpc(HandlerContext& context, CreateVpcRequest input) {
  auto tags = read_tag_specifications(input.tag_specifications, "vpc");
  if (!tags) {
    co_return tl::unexpected(tags.error());
  }
  if (!input.cidr_block) {
    co_return refuse("MissingParameter", "The request must contain the parameter cidrBlock");
  }
  core::CreateVpc command;
  command.cidr = *input.cidr_block;
  command.instance_tenancy = input.instance_tenancy.value_or("default");
  command.ipv6 =
      input.amazon_provided_ipv6_cidr_block.value_or(false) || input.ipv6_cidr_block.has_value();
  command.tags = std::move(*tags);
  Make<core::Vpc> make = [&](const core::State& state, core::AdmissionContext admission) {
    return core::create_vpc(state, command, admission);
  };
  auto made = co_await submit_made<core::Vpc>(context, input.dry_run, std::move(make));
  if (!made) {
    co_return tl::unexpected(made.error());
  }
  CreateVpcResult result;
  result.vpc = vpc_shape(state_of(context).region(), *made);
  co_return result;
}

AsyncResult<CreateDefaultVpcResult> create_default_vpc(HandlerContext& context,
                                                       CreateDefaultVpcRequest input) {
  Make<core::Vpc> make = core::create_default_vpc;
  auto made = co_await submit_made<core::Vpc>(context, input.dry_run, std::move(make));
  if (!made) {
    co_return tl::unexpected(made.error());
  }
  CreateDefaultVpcResult result;
  result.vpc = vpc_shape(state_of(context).region(), *made);
  co_return result;
}

AsyncResult<NoOutput> delete_vpc(HandlerContext& context, DeleteVpcRequest input) {
  const core::VpcId id(*input.vpc_id);
  Decide decide = [&](const core::State& state, core::AdmissionContext) {
    return core::delete_vpc(state, id);
  };
  co_return co_await submit_change(context, input.dry_run, std::move(decide));
}

AsyncResult<DescribeVpcsResult> describe_vpcs(HandlerContext& context, DescribeVpcsRequest input) {
  const core::State& state = state_of(context);
  auto selected = select_records<core::Vpc>(
      state, input.vpc_ids, core::require_vpc,
      [&](const core::Vpc& vpc) { return vpc_shape(state.region(), vpc); });
  auto page = finish_describe(input, input.vpc_ids, std::move(selected), vpc_filters(),
                              [](const Vpc& vpc) { return *vpc.vpc_id; });
  if (!page) {
    co_return tl::unexpected(page.error());
  }
  DescribeVpcsResult result;
  result.vpcs = std::move(page->items);
  result.next_token = std::move(page->next_token);
  co_return result;
}

AsyncResult<DescribeVpcAttributeResult> describe_vpc_attribute(HandlerContext& context,
                                                               DescribeVpcAttributeRequest input) {
  const auto vpc = core::require_vpc(state_of(context), core::VpcId(*input.vpc_id));
  if (!vpc) {
    co_return refused(vpc.error());
  }
  if (auto real = check_dry_run(input.dry_run); !real) {
    co_return tl::unexpected(real.error());
  }
  DescribeVpcAttributeResult result;
  result.vpc_id = *input.vpc_id;
  if (input.attribute == "enableDnsSupport") {
    result.enable_dns_support = AttributeBooleanValue{.value = (*vpc)->dns_support};
  } else if (input.attribute == "enableDnsHostnames") {
    result.enable_dns_hostnames = AttributeBooleanValue{.value = (*vpc)->dns_hostnames};
  } else {
    result.enable_network_address_usage_metrics =
        AttributeBooleanValue{.value = (*vpc)->address_usage_metrics};
  }
  co_return result;
}

AsyncResult<NoOutput> modify_vpc_attribute(HandlerContext& context,
                                           ModifyVpcAttributeRequest input) {
  core::ModifyVpcAttribute command;
  command.vpc = core::VpcId(*input.vpc_id);
  command.dns_support = attribute_value(input.enable_dns_support);
  command.dns_hostnames = attribute_value(input.enable_dns_hostnames);
  command.address_usage_metrics = attribute_value(input.enable_network_address_usage_metrics);
  Decide decide = [&](const core::State& state, core::AdmissionContext) {
    return core::modify_vpc_attribute(state, command);
  };
  co_return co_await submit_change(context, std::nullopt, std::move(decide));
}

}  // namespace hikae::api::ec2::handlers
