#include "api/generated/elasticache_handlers.h"
#include "api/handlers/elasticache/common.h"
#include "core/catalog/catalog.h"

namespace hikae::api::elasticache::handlers {
namespace {

std::string engine_description(std::string_view engine) {
  if (engine == "redis") {
    return "Redis";
  }
  return engine == "valkey" ? "Valkey" : std::string(engine);
}

CacheEngineVersion to_shape(const core::EngineVersion& version) {
  CacheEngineVersion shape;
  shape.engine = std::string(version.engine);
  shape.engine_version = std::string(version.version);
  shape.cache_parameter_group_family = std::string(version.family);
  shape.cache_engine_description = engine_description(version.engine);
  shape.cache_engine_version_description =
      std::string(version.engine) + " version " + std::string(version.full);
  return shape;
}

// DefaultOnly asks for what a request without a version gets: of the engine (and family) asked for,
// or of each engine.
bool is_default(const core::EngineVersion& version, bool family_asked_for) {
  for (const core::EngineVersion& other : core::engine_versions()) {
    const bool rival =
        other.engine == version.engine && (!family_asked_for || other.family == version.family);
    if (rival && core::compare_versions(other.version, version.version) > 0) {
      return false;
    }
  }
  return true;
}

bool is_asked_for(const core::EngineVersion& version,
                  const DescribeCacheEngineVersionsMessage& input) {
  const bool family_asked_for = input.cache_parameter_group_family.has_value();
  return (!input.engine || *input.engine == version.engine) &&
         (!input.engine_version || *input.engine_version == version.version) &&
         (!family_asked_for || *input.cache_parameter_group_family == version.family) &&
         (!input.default_only.value_or(false) || is_default(version, family_asked_for));
}

}  // namespace

AsyncResult<CacheEngineVersionMessage> describe_cache_engine_versions(
    HandlerContext& context, DescribeCacheEngineVersionsMessage input) {
  (void)context;
  auto pager = Pager::open("DescribeCacheEngineVersions", input.max_records, input.marker);
  if (!pager) {
    co_return tl::unexpected(pager.error());
  }
  CacheEngineVersionMessage answer;
  auto& versions = answer.cache_engine_versions.emplace();
  std::uint64_t position = 0;
  for (const core::EngineVersion& version : core::engine_versions()) {
    ++position;
    if (is_asked_for(version, input) && pager->take(pager_key(position))) {
      versions.push_back(to_shape(version));
    }
  }
  answer.marker = pager->marker();
  co_return answer;
}

}  // namespace hikae::api::elasticache::handlers
