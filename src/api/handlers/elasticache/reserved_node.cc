#include <map>

#include <fmt/format.h>

#include "api/generated/elasticache_handlers.h"
#include "api/handlers/elasticache/common.h"
#include "codec/text/digest.h"
#include "core/catalog/catalog.h"

// Reservations are a price list, and here nothing has a price: every node type is offered for
// nothing, and nobody can buy what is theirs already.

namespace hikae::api::elasticache::handlers {
namespace {

constexpr const char* kOfferingType = "No Upfront";
constexpr std::int32_t kYearSeconds = 31'536'000;

struct Duration {
  std::int32_t seconds;
  std::string_view years;
};
constexpr Duration kDurations[] = {{kYearSeconds, "1"}, {3 * kYearSeconds, "3"}};

// The same for the same offering, in every region, for ever; in the form of AWS's.
std::string offering_id(std::string_view node_type, std::string_view product,
                        std::int32_t seconds) {
  const std::string digest =
      codec::sha256_hex(fmt::format("{}/{}/{}", node_type, product, seconds));
  return fmt::format("{}-{}-{}-{}-{}", digest.substr(0, 8), digest.substr(8, 4),
                     digest.substr(12, 4), digest.substr(16, 4), digest.substr(20, 12));
}

ReservedCacheNodesOffering make_offering(const core::NodeType& node_type, std::string_view product,
                                         std::int32_t seconds) {
  ReservedCacheNodesOffering offering;
  offering.reserved_cache_nodes_offering_id = offering_id(node_type.name, product, seconds);
  offering.cache_node_type = std::string(node_type.name);
  offering.duration = seconds;
  offering.fixed_price = 0;
  offering.usage_price = 0;
  offering.product_description = std::string(product);
  offering.offering_type = kOfferingType;
  offering.recurring_charges.emplace();
  return offering;
}

using Offerings = std::map<std::string, ReservedCacheNodesOffering>;

Offerings all_offerings() {
  Offerings out;
  for (const core::NodeType& node_type : core::node_types()) {
    for (const char* product : {"redis", "valkey", "memcached"}) {
      for (const Duration& duration : kDurations) {
        if (!core::min_version(node_type, product).empty()) {
          auto offering = make_offering(node_type, product, duration.seconds);
          out.emplace(*offering.reserved_cache_nodes_offering_id, std::move(offering));
        }
      }
    }
  }
  return out;
}

// Empty: any.
ApiResult<std::optional<std::int32_t>> read_duration(const std::optional<std::string>& text) {
  if (!text) {
    return std::nullopt;
  }
  for (const Duration& duration : kDurations) {
    if (*text == duration.years || *text == std::to_string(duration.seconds)) {
      return std::optional(duration.seconds);
    }
  }
  return api::refuse("InvalidParameterValue",
                     fmt::format("Invalid duration: {}. Valid values are: 1, 3, {}, {}.", *text,
                                 kYearSeconds, 3 * kYearSeconds));
}

template <class T>
bool matches(const std::optional<T>& wanted, const std::optional<T>& has) {
  return !wanted || wanted == has;
}

tl::unexpected<ApiFault> no_offering(const std::string& id) {
  return api::refuse("ReservedCacheNodesOfferingNotFound",
                     "ReservedCacheNodesOffering not found: " + id);
}

}  // namespace

AsyncResult<ReservedCacheNodesOfferingMessage> describe_reserved_cache_nodes_offerings(
    HandlerContext&, DescribeReservedCacheNodesOfferingsMessage input) {
  auto pager = Pager::open("DescribeReservedCacheNodesOfferings", input.max_records, input.marker);
  const auto duration = read_duration(input.duration);
  if (!pager || !duration) {
    co_return tl::unexpected(pager ? duration.error() : pager.error());
  }
  const Offerings offerings = all_offerings();
  const auto& id = input.reserved_cache_nodes_offering_id;
  if (id && !offerings.contains(*id)) {
    co_return no_offering(*id);
  }
  ReservedCacheNodesOfferingMessage answer;
  auto& list = answer.reserved_cache_nodes_offerings.emplace();
  for (const auto& [key, offering] : offerings) {
    const bool wanted = (!id || *id == key) && matches(*duration, offering.duration) &&
                        matches(input.cache_node_type, offering.cache_node_type) &&
                        matches(input.product_description, offering.product_description) &&
                        matches(input.offering_type, offering.offering_type);
    if (wanted && pager->take(key)) {
      list.push_back(offering);
    }
    if (pager->done()) {
      break;
    }
  }
  answer.marker = pager->marker();
  co_return answer;
}

AsyncResult<ReservedCacheNodeMessage> describe_reserved_cache_nodes(
    HandlerContext&, DescribeReservedCacheNodesMessage input) {
  const auto pager = Pager::open("DescribeReservedCacheNodes", input.max_records, input.marker);
  const auto duration = read_duration(input.duration);
  if (!pager || !duration) {
    co_return tl::unexpected(pager ? duration.error() : pager.error());
  }
  if (input.reserved_cache_node_id) {
    co_return api::refuse("ReservedCacheNodeNotFound",
                          "ReservedCacheNode not found: " + *input.reserved_cache_node_id);
  }
  ReservedCacheNodeMessage answer;
  answer.reserved_cache_nodes.emplace();
  co_return answer;
}

AsyncResult<PurchaseReservedCacheNodesOfferingResult> purchase_reserved_cache_nodes_offering(
    HandlerContext&, PurchaseReservedCacheNodesOfferingMessage input) {
  if (const auto tags = read_tags(input.tags); !tags) {
    co_return tl::unexpected(tags.error());
  }
  if (!all_offerings().contains(*input.reserved_cache_nodes_offering_id)) {
    co_return no_offering(*input.reserved_cache_nodes_offering_id);
  }
  co_return api::refuse("ReservedCacheNodeQuotaExceeded",
                        "Hikae sells no reservations: its nodes run on machines of your own.");
}

}  // namespace hikae::api::elasticache::handlers
