#include "core/admission/snapshot.h"

#include <fmt/format.h>

#include "api/generated/elasticache_handlers.h"
#include "api/handlers/elasticache/common.h"
#include "api/handlers/elasticache/describe.h"
#include "api/handlers/elasticache/unsupported.h"
#include "control/frontend.h"
#include "control/snapshot_ports.h"
#include "core/reconcile/snapshot_work.h"
#include "core/state/snapshots.h"

namespace hikae::api::elasticache::handlers {
namespace {

using core::lookup_id;

const core::Snapshot* find(const core::State& state, const std::string& name) {
  return state.find<core::Snapshot>(lookup_id<core::SnapshotName>(name));
}

bool is_asked_for(const core::Snapshot& snapshot, const DescribeSnapshotsMessage& input) {
  const std::string source = input.snapshot_source.value_or("");
  return (!input.snapshot_name ||
          snapshot.name == lookup_id<core::SnapshotName>(*input.snapshot_name)) &&
         (!input.cache_cluster_id ||
          snapshot.cluster == lookup_id<core::CacheClusterId>(*input.cache_cluster_id)) &&
         (!input.replication_group_id ||
          snapshot.group == lookup_id<core::ReplicationGroupId>(*input.replication_group_id)) &&
         (source.empty() || (source == "system") == (snapshot.source == "automated"));
}

// Snapshots outlive their sources, so only a cluster of which nothing at all is known is an error.
std::optional<ApiFault> check_filters(const core::State& state,
                                      const DescribeSnapshotsMessage& input) {
  if (input.snapshot_source && *input.snapshot_source != "user" &&
      *input.snapshot_source != "system") {
    return ApiFault("InvalidParameterValue",
                    fmt::format("Invalid snapshot source: {}. Valid values are user and system.",
                                *input.snapshot_source));
  }
  if (input.snapshot_name && find(state, *input.snapshot_name) == nullptr) {
    return ApiFault(core::snapshot_not_found(*input.snapshot_name));
  }
  if (!input.cache_cluster_id) {
    return std::nullopt;
  }
  const auto id = lookup_id<core::CacheClusterId>(*input.cache_cluster_id);
  bool known = state.find<core::CacheCluster>(id) != nullptr;
  for (const auto& [name, snapshot] : state.all<core::Snapshot>()) {
    known = known || snapshot.cluster == id;
  }
  return known ? std::nullopt
               : std::optional(ApiFault(core::cache_cluster_not_found(*input.cache_cluster_id)));
}

// The errors that AWS documents for a bucket.
ApiFault cannot_put(const control::BucketObject& object, const Error& error) {
  if (error.code == ErrorCode::kNotFound) {
    return ApiFault("InvalidParameterValue",
                    fmt::format("The S3 bucket {} does not exist.", object.bucket));
  }
  if (error.code == ErrorCode::kConflict) {
    return ApiFault("InvalidParameterValue",
                    fmt::format("The S3 bucket {} already contains an object with key {}.",
                                object.bucket, object.key));
  }
  return ApiFault("InvalidParameterValue",
                  fmt::format("The S3 bucket {} cannot be used: {}", object.bucket, error.message));
}

// Before anything is begun: whether the objects can be put.
AsyncResult<void> check_bucket(HandlerContext& context, core::CopySnapshot command) {
  const auto* source = find(context.frontend().state(), command.source);
  if (source == nullptr) {
    co_return ApiResult<void>();  // the admission says so
  }
  core::Snapshot target = *source;
  target.key_prefix = command.target;
  for (const core::NodeSnapshot& node : target.nodes) {
    control::BucketObject object;
    object.bucket = *command.bucket;
    object.key = core::export_key(target, node);
    control::BucketObject wanted = object;
    const Status free = co_await context.snapshots().files->may_put(std::move(wanted));
    if (!free) {
      co_return tl::unexpected(cannot_put(object, free.error()));
    }
  }
  co_return ApiResult<void>();
}

}  // namespace

AsyncResult<CreateSnapshotResult> create_snapshot(HandlerContext& context,
                                                  CreateSnapshotMessage input) {
  Unsupported check;
  check.text("KmsKeyId", input.kms_key_id);
  if (auto fault = check.fault()) {
    co_return tl::unexpected(*fault);
  }
  auto tags = read_tags(input.tags);
  if (!tags) {
    co_return tl::unexpected(tags.error());
  }
  core::CreateSnapshot command;
  command.name = input.snapshot_name.value_or("");
  command.cluster = input.cache_cluster_id;
  command.group = input.replication_group_id;
  command.tags = std::move(*tags);
  auto decision = decision_on(command);
  const auto committed = co_await context.frontend().submit(std::move(decision));
  if (!committed) {
    co_return refused(committed.error());
  }
  CreateSnapshotResult result;
  const core::State& state = context.frontend().state();
  if (const auto* snapshot = find(state, command.name)) {
    result.snapshot = describe(state, *snapshot, false);
  }
  co_return result;
}

AsyncResult<CopySnapshotResult> copy_snapshot(HandlerContext& context, CopySnapshotMessage input) {
  Unsupported check;
  check.text("KmsKeyId", input.kms_key_id);
  if (auto fault = check.fault()) {
    co_return tl::unexpected(*fault);
  }
  auto tags = read_tags(input.tags);
  if (!tags) {
    co_return tl::unexpected(tags.error());
  }
  core::CopySnapshot command;
  command.source = input.source_snapshot_name.value_or("");
  command.target = input.target_snapshot_name.value_or("");
  command.tags = std::move(*tags);
  if (input.target_bucket && !input.target_bucket->empty()) {
    command.bucket = input.target_bucket;
    const auto usable = co_await check_bucket(context, command);
    if (!usable) {
      co_return tl::unexpected(usable.error());
    }
  }
  auto decision = decision_on(command);
  const auto committed = co_await context.frontend().submit(std::move(decision));
  if (!committed) {
    co_return refused(committed.error());
  }
  CopySnapshotResult result;
  const core::State& state = context.frontend().state();
  const auto* snapshot = find(state, command.bucket ? command.source : command.target);
  if (snapshot != nullptr) {
    result.snapshot = describe(state, *snapshot, false);
  }
  if (command.bucket && result.snapshot) {
    result.snapshot->snapshot_name = command.target;
  }
  co_return result;
}

AsyncResult<DeleteSnapshotResult> delete_snapshot(HandlerContext& context,
                                                  DeleteSnapshotMessage input) {
  const core::DeleteSnapshot command{input.snapshot_name.value_or("")};
  DeleteSnapshotResult result;
  // It may be gone as soon as that is committed.
  control::Frontend::Decision decision = [&](const core::State& state,
                                             core::AdmissionContext admission) {
    auto admitted = core::admit(state, command, admission);
    if (const auto* snapshot = find(state, command.name); admitted && snapshot != nullptr) {
      result.snapshot = describe(state, *snapshot, false);
      result.snapshot->snapshot_status = "deleting";
    }
    return admitted;
  };
  const auto committed = co_await context.frontend().submit(std::move(decision));
  if (!committed) {
    co_return refused(committed.error());
  }
  co_return result;
}

AsyncResult<DescribeSnapshotsListMessage> describe_snapshots(HandlerContext& context,
                                                             DescribeSnapshotsMessage input) {
  const core::State& state = context.frontend().state();
  if (auto fault = check_filters(state, input)) {
    co_return tl::unexpected(*fault);
  }
  const std::string listing =
      fmt::format("snapshots/{}/{}/{}", input.cache_cluster_id.value_or(""),
                  input.replication_group_id.value_or(""), input.snapshot_source.value_or(""));
  auto pager = Pager::open(listing, input.max_records, input.marker);
  if (!pager) {
    co_return tl::unexpected(pager.error());
  }
  DescribeSnapshotsListMessage result;
  std::vector<Snapshot> snapshots;
  for (const auto& [name, snapshot] : state.all<core::Snapshot>()) {
    if (is_asked_for(snapshot, input) && pager->take(name.str())) {
      snapshots.push_back(describe(state, snapshot, input.show_node_group_config.value_or(false)));
    }
    if (pager->done()) {
      break;
    }
  }
  result.marker = pager->marker();
  result.snapshots = std::move(snapshots);
  co_return result;
}

}  // namespace hikae::api::elasticache::handlers
