#include "api/handlers/elasticache/snapshot_source.h"

#include <utility>

#include <fmt/format.h>

#include "base/strings.h"
#include "control/frontend.h"
#include "control/snapshot_ports.h"

namespace hikae::api::elasticache {
namespace {

constexpr std::string_view kArnPrefix = "arn:aws:s3:::";

// `arn:aws:s3:::bucket/some/key.rdb`; AWS allows no comma in the key.
std::optional<control::BucketObject> parse_object(const std::string& arn) {
  if (!arn.starts_with(kArnPrefix) || arn.find(',') != std::string::npos) {
    return std::nullopt;
  }
  const std::string rest = arn.substr(kArnPrefix.size());
  const std::size_t slash = rest.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == rest.size()) {
    return std::nullopt;
  }
  return control::BucketObject{rest.substr(0, slash), rest.substr(slash + 1)};
}

ApiFault cannot_fetch(const control::BucketObject& object, const Error& error) {
  if (error.code == ErrorCode::kNotFound) {
    return ApiFault("InvalidParameterValue",
                    fmt::format("Unable to fetch metadata from S3 for bucket: {} and object: {}. "
                                "Please verify that the object exists.",
                                object.bucket, object.key));
  }
  if (error.code == ErrorCode::kInvalid) {
    return ApiFault("InvalidParameterValue",
                    fmt::format("The object {} in bucket {} is not a valid RDB file: {}",
                                object.key, object.bucket, error.message));
  }
  if (error.code == ErrorCode::kDenied) {
    return ApiFault("InvalidParameterValue",
                    fmt::format("There is no permission to read the object {} in bucket {}: {}",
                                object.key, object.bucket, error.message));
  }
  return ApiFault("InsufficientCacheClusterCapacity",
                  fmt::format("The object {} in bucket {} cannot be copied: {}", object.key,
                              object.bucket, error.message));
}

std::optional<ApiFault> too_new(const HandlerContext& context, const control::SnapshotFile& file,
                                const std::string& arn, const std::string& engine,
                                const std::string& version) {
  const auto& newest_of = context.snapshots().newest_format;
  const int newest = newest_of ? newest_of(engine, version) : 0;
  if (newest == 0 || file.format <= newest) {
    return std::nullopt;
  }
  return ApiFault("InvalidParameterValue",
                  fmt::format("{} is an RDB file of format {}, written by a newer engine: {} here "
                              "reads up to format {}.",
                              arn, file.format, engine, newest));
}

}  // namespace

AsyncResult<core::RestoreRequest> open_snapshot_source(
    const HandlerContext& context, std::optional<std::string> snapshot_name,
    std::optional<std::vector<std::string>> snapshot_arns, std::string engine,
    std::string engine_version) {
  core::RestoreRequest out;
  out.snapshot = std::move(snapshot_name);
  if (!snapshot_arns || snapshot_arns->empty()) {
    co_return out;
  }
  if (out.snapshot || snapshot_arns->size() != 1) {
    co_return api::refuse("InvalidParameterCombination",
                          "SnapshotArns takes one object for each node group, and cannot be "
                          "specified together with SnapshotName.");
  }
  const std::string arn = snapshot_arns->front();
  const auto object = parse_object(arn);
  if (!object) {
    co_return api::refuse("InvalidParameterValue",
                          fmt::format("{} does not name an object in S3 like "
                                      "arn:aws:s3:::bucket/key.rdb.",
                                      arn));
  }
  control::SnapshotFiles& files = *context.snapshots().files;
  // The id of the request is a UUID: no other file has that name.
  std::string file = fmt::format("import-{}.rdb", context.request_id());
  core::RestoreRequest::Fetched fetched;
  fetched.arn = arn;
  fetched.file = file;
  control::BucketObject wanted = *object;
  const auto copied = co_await files.fetch(std::move(wanted), std::move(file));
  if (!copied) {
    co_return tl::unexpected(cannot_fetch(*object, copied.error()));
  }
  fetched.bytes = copied->bytes;
  fetched.used_memory = copied->used_memory;
  out.fetched = std::move(fetched);
  if (auto fault = too_new(context, *copied, arn, engine, engine_version)) {
    co_await give_back(context, out);
    co_return tl::unexpected(*fault);
  }
  co_return out;
}

boost::asio::awaitable<void> give_back(const HandlerContext& context, core::RestoreRequest source) {
  if (source.fetched) {
    std::string file = source.fetched->file;
    co_await context.snapshots().files->remove(std::move(file));
  }
}

}  // namespace hikae::api::elasticache
