#include <fmt/format.h>

#include "api/generated/ec2_handlers.h"
#include "api/handlers/ec2/describe.h"
#include "api/handlers/ec2/shapes.h"
#include "core/admission/ec2_gateway.h"

namespace hikae::api::ec2::handlers {
namespace {

constexpr std::string_view kEverywhere = "0.0.0.0/0";

InternetGateway gateway_shape(const core::Region& region, const core::InternetGateway& gateway) {
  InternetGateway shape;
  shape.attachments.emplace();
  if (!gateway.vpc.empty()) {
    shape.attachments->push_back(
        InternetGatewayAttachment{.state = "available", .vpc_id = gateway.vpc.str()});
  }
  shape.internet_gateway_id = gateway.id.str();
  shape.owner_id = region.account_id;
  shape.tags = tag_list(gateway.tags);
  return shape;
}

const FilterTable<InternetGateway>& gateway_filters() {
  static const FilterTable<InternetGateway> table(
      {
          {"internet-gateway-id",
           [](const InternetGateway& g) { return filter_text(g.internet_gateway_id); }},
          {"attachment.vpc-id",
           [](const InternetGateway& g) {
             return g.attachments->empty() ? FilterValues{}
                                           : filter_text(g.attachments->front().vpc_id);
           }},
          {"attachment.state",
           [](const InternetGateway& g) {
             return g.attachments->empty() ? FilterValues{}
                                           : filter_text(g.attachments->front().state);
           }},
          {"owner-id", [](const InternetGateway& g) { return filter_text(g.owner_id); }},
      },
      [](const InternetGateway& g) -> const TagList& { return g.tags; });
  return table;
}

std::vector<Route> routes_of(const core::State& state, const core::RouteTable& table) {
  std::vector<Route> routes;
  const core::Vpc* vpc = state.find<core::Vpc>(table.vpc);
  if (vpc == nullptr) {
    return routes;
  }
  Route local;
  local.destination_cidr_block = vpc->cidr.str();
  local.gateway_id = "local";
  local.origin = "CreateRouteTable";
  local.state = "active";
  routes.push_back(local);
  // The default VPC is born with a way out; other routes cannot be made.
  for (const auto& [id, gateway] : state.all<core::InternetGateway>()) {
    if (vpc->is_default && table.main && gateway.vpc == vpc->id) {
      Route out = local;
      out.destination_cidr_block = std::string(kEverywhere);
      out.gateway_id = id.str();
      out.origin = "CreateRoute";
      routes.push_back(std::move(out));
    }
  }
  return routes;
}

RouteTable table_shape(const core::State& state, const core::RouteTable& table) {
  RouteTable shape;
  shape.associations.emplace();
  if (table.main) {
    RouteTableAssociation association;
    association.main = true;
    association.route_table_association_id = derived_id("rtbassoc-", table.id.str());
    association.route_table_id = table.id.str();
    association.association_state =
        RouteTableAssociationState{.state = "associated", .status_message = {}};
    shape.associations->push_back(std::move(association));
  }
  shape.propagating_vgws.emplace();
  shape.route_table_id = table.id.str();
  shape.routes = routes_of(state, table);
  shape.tags = tag_list(table.tags);
  shape.vpc_id = table.vpc.str();
  shape.owner_id = state.region().account_id;
  return shape;
}

FilterValues of_routes(const RouteTable& table, std::optional<std::string> Route::* member) {
  FilterValues values;
  for (const Route& route : *table.routes) {
    values.push_back((route.*member).value_or(""));
  }
  return values;
}

const FilterTable<RouteTable>& table_filters() {
  static const FilterTable<RouteTable> table(
      {
          {"route-table-id", [](const RouteTable& t) { return filter_text(t.route_table_id); }},
          {"vpc-id", [](const RouteTable& t) { return filter_text(t.vpc_id); }},
          {"owner-id", [](const RouteTable& t) { return filter_text(t.owner_id); }},
          {"association.main",
           [](const RouteTable& t) {
             return FilterValues{t.associations->empty() ? "false" : "true"};
           }},
          {"association.route-table-association-id",
           [](const RouteTable& t) {
             return t.associations->empty()
                        ? FilterValues{}
                        : filter_text(t.associations->front().route_table_association_id);
           }},
          {"association.route-table-id",
           [](const RouteTable& t) {
             return t.associations->empty() ? FilterValues{} : filter_text(t.route_table_id);
           }},
          {"association.subnet-id", [](const RouteTable&) { return FilterValues{}; }},
          {"association.gateway-id", [](const RouteTable&) { return FilterValues{}; }},
          {"route.destination-cidr-block",
           [](const RouteTable& t) { return of_routes(t, &Route::destination_cidr_block); }},
          {"route.gateway-id",
           [](const RouteTable& t) { return of_routes(t, &Route::gateway_id); }},
          {"route.origin", [](const RouteTable& t) { return of_routes(t, &Route::origin); }},
          {"route.state", [](const RouteTable& t) { return of_routes(t, &Route::state); }},
      },
      [](const RouteTable& t) -> const TagList& { return t.tags; });
  return table;
}

NetworkAclEntry acl_entry(bool egress, int number, std::string_view action) {
  NetworkAclEntry entry;
  entry.cidr_block = std::string(kEverywhere);
  entry.egress = egress;
  entry.protocol = "-1";
  entry.rule_action = std::string(action);
  entry.rule_number = number;
  return entry;
}

NetworkAcl acl_shape(const core::State& state, const core::NetworkAcl& acl) {
  constexpr int kAllowRule = 100;
  constexpr int kLastRule = 32767;
  NetworkAcl shape;
  shape.associations.emplace();
  for (const auto& [id, subnet] : state.all<core::Subnet>()) {
    if (subnet.vpc == acl.vpc) {
      shape.associations->push_back(
          NetworkAclAssociation{.network_acl_association_id = derived_id("aclassoc-", id.str()),
                                .network_acl_id = acl.id.str(),
                                .subnet_id = id.str()});
    }
  }
  shape.entries = {acl_entry(true, kAllowRule, "allow"), acl_entry(true, kLastRule, "deny"),
                   acl_entry(false, kAllowRule, "allow"), acl_entry(false, kLastRule, "deny")};
  shape.is_default = true;
  shape.network_acl_id = acl.id.str();
  shape.tags = tag_list(acl.tags);
  shape.vpc_id = acl.vpc.str();
  shape.owner_id = state.region().account_id;
  return shape;
}

const FilterTable<NetworkAcl>& acl_filters() {
  static const FilterTable<NetworkAcl> table(
      {
          {"network-acl-id", [](const NetworkAcl& a) { return filter_text(a.network_acl_id); }},
          {"vpc-id", [](const NetworkAcl& a) { return filter_text(a.vpc_id); }},
          {"default", [](const NetworkAcl& a) { return filter_text(a.is_default); }},
          {"owner-id", [](const NetworkAcl& a) { return filter_text(a.owner_id); }},
          {"association.subnet-id",
           [](const NetworkAcl& a) {
             FilterValues values;
             for (const NetworkAclAssociation& association : *a.associations) {
               values.push_back(*association.subnet_id);
             }
             return values;
           }},
          {"association.network-acl-id",
           [](const NetworkAcl& a) { return filter_text(a.network_acl_id); }},
          {"association.association-id",
           [](const NetworkAcl& a) {
             FilterValues values;
             for (const NetworkAclAssociation& association : *a.associations) {
               values.push_back(*association.network_acl_association_id);
             }
             return values;
           }},
      },
      [](const NetworkAcl& a) -> const TagList& { return a.tags; });
  return table;
}

core::Admitted<const core::NetworkAcl*> require_acl(const core::State& state,
                                                    const core::NetworkAclId& id) {
  if (const core::NetworkAcl* acl = state.find<core::NetworkAcl>(id)) {
    return acl;
  }
  return core::refuse("InvalidNetworkAclID.NotFound",
                      fmt::format("The networkAcl ID '{}' does not exist", id.str()));
}

}  // namespace

AsyncResult<CreateInternetGatewayResult> create_internet_gateway(
    HandlerContext& context, CreateInternetGatewayRequest input) {
  const auto tags = read_tag_specifications(input.tag_specifications, "internet-gateway");
  if (!tags) {
    co_return tl::unexpected(tags.error());
  }
  Make<core::InternetGateway> make = [&](const core::State& state,
                                         core::AdmissionContext admission) {
    return core::create_internet_gateway(state, *tags, admission);
  };
  auto made = co_await submit_made<core::InternetGateway>(context, input.dry_run, std::move(make));
  if (!made) {
    co_return tl::unexpected(made.error());
  }
  CreateInternetGatewayResult result;
  result.internet_gateway = gateway_shape(state_of(context).region(), *made);
  co_return result;
}

AsyncResult<NoOutput> attach_internet_gateway(HandlerContext& context,
                                              AttachInternetGatewayRequest input) {
  const core::InternetGatewayId id(*input.internet_gateway_id);
  const core::VpcId vpc(*input.vpc_id);
  Decide decide = [&](const core::State& state, core::AdmissionContext) {
    return core::attach_internet_gateway(state, id, vpc);
  };
  co_return co_await submit_change(context, input.dry_run, std::move(decide));
}

AsyncResult<NoOutput> detach_internet_gateway(HandlerContext& context,
                                              DetachInternetGatewayRequest input) {
  const core::InternetGatewayId id(*input.internet_gateway_id);
  const core::VpcId vpc(*input.vpc_id);
  Decide decide = [&](const core::State& state, core::AdmissionContext) {
    return core::detach_internet_gateway(state, id, vpc);
  };
  co_return co_await submit_change(context, input.dry_run, std::move(decide));
}

AsyncResult<NoOutput> delete_internet_gateway(HandlerContext& context,
                                              DeleteInternetGatewayRequest input) {
  const core::InternetGatewayId id(*input.internet_gateway_id);
  Decide decide = [&](const core::State& state, core::AdmissionContext) {
    return core::delete_internet_gateway(state, id);
  };
  co_return co_await submit_change(context, input.dry_run, std::move(decide));
}

AsyncResult<DescribeInternetGatewaysResult> describe_internet_gateways(
    HandlerContext& context, DescribeInternetGatewaysRequest input) {
  const core::State& state = state_of(context);
  auto selected = select_records<core::InternetGateway>(
      state, input.internet_gateway_ids, core::require_internet_gateway,
      [&](const core::InternetGateway& g) { return gateway_shape(state.region(), g); });
  auto page =
      finish_describe(input, input.internet_gateway_ids, std::move(selected), gateway_filters(),
                      [](const InternetGateway& g) { return *g.internet_gateway_id; });
  if (!page) {
    co_return tl::unexpected(page.error());
  }
  DescribeInternetGatewaysResult result;
  result.internet_gateways = std::move(page->items);
  result.next_token = std::move(page->next_token);
  co_return result;
}

AsyncResult<CreateRouteTableResult> create_route_table(HandlerContext& context,
                                                       CreateRouteTableRequest input) {
  const auto tags = read_tag_specifications(input.tag_specifications, "route-table");
  if (!tags) {
    co_return tl::unexpected(tags.error());
  }
  const core::VpcId vpc(*input.vpc_id);
  Make<core::RouteTable> make = [&](const core::State& state, core::AdmissionContext admission) {
    return core::create_route_table(state, vpc, *tags, admission);
  };
  auto made = co_await submit_made<core::RouteTable>(context, input.dry_run, std::move(make));
  if (!made) {
    co_return tl::unexpected(made.error());
  }
  CreateRouteTableResult result;
  result.route_table = table_shape(state_of(context), *made);
  result.client_token = input.client_token;
  co_return result;
}

AsyncResult<NoOutput> delete_route_table(HandlerContext& context, DeleteRouteTableRequest input) {
  const core::RouteTableId id(*input.route_table_id);
  Decide decide = [&](const core::State& state, core::AdmissionContext) {
    return core::delete_route_table(state, id);
  };
  co_return co_await submit_change(context, input.dry_run, std::move(decide));
}

AsyncResult<DescribeRouteTablesResult> describe_route_tables(HandlerContext& context,
                                                             DescribeRouteTablesRequest input) {
  const core::State& state = state_of(context);
  auto selected = select_records<core::RouteTable>(
      state, input.route_table_ids, core::require_route_table,
      [&](const core::RouteTable& table) { return table_shape(state, table); });
  auto page = finish_describe(input, input.route_table_ids, std::move(selected), table_filters(),
                              [](const RouteTable& table) { return *table.route_table_id; });
  if (!page) {
    co_return tl::unexpected(page.error());
  }
  DescribeRouteTablesResult result;
  result.route_tables = std::move(page->items);
  result.next_token = std::move(page->next_token);
  co_return result;
}

AsyncResult<DescribeNetworkAclsResult> describe_network_acls(HandlerContext& context,
                                                             DescribeNetworkAclsRequest input) {
  const core::State& state = state_of(context);
  auto selected = select_records<core::NetworkAcl>(
      state, input.network_acl_ids, require_acl,
      [&](const core::NetworkAcl& acl) { return acl_shape(state, acl); });
  auto page = finish_describe(input, input.network_acl_ids, std::move(selected), acl_filters(),
                              [](const NetworkAcl& acl) { return *acl.network_acl_id; });
  if (!page) {
    co_return tl::unexpected(page.error());
  }
  DescribeNetworkAclsResult result;
  result.network_acls = std::move(page->items);
  result.next_token = std::move(page->next_token);
  co_return result;
}

}  // namespace hikae::api::ec2::handlers
