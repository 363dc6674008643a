#include "engine/redis_status.h"

#include <algorithm>

#include "base/strings.h"
#include "codec/resp/info.h"

namespace hikae::engine {
namespace {

// Forty zeros stand for none.
std::string stream_name(std::string_view id) {
  return std::string(id.find_first_not_of('0') == std::string_view::npos ? "" : id);
}

// Of INFO's `errorstat_READONLY:count=7`, which engines before Redis 6.2 do not have.
std::uint64_t refused_writes(const codec::resp::Info& info) {
  const auto fields = codec::resp::Info::parse_fields(info.text("errorstat_READONLY").value_or(""));
  return std::uint64_t(std::max<std::int64_t>(fields.integer("count").value_or(0), 0));
}

// `12.34`, without what follows the point.
int percent_of(std::string_view text) {
  const auto number = parse_integer(text.substr(0, text.find('.')));
  return number ? int(std::clamp<std::int64_t>(*number, 0, 100)) : 0;
}

}  // namespace

Result<control::EngineStatus> parse_redis_status(std::string_view text) {
  const auto info = codec::resp::Info::parse(text);
  const auto role = info.text("role");
  if (!role || (*role != "master" && *role != "slave")) {
    return fail(ErrorCode::kInternal, "the engine's INFO does not tell its role");
  }
  control::EngineStatus status;
  status.refused_writes = refused_writes(info);
  status.loading = info.integer("loading").value_or(0) != 0;
  status.loaded_percent = percent_of(info.text("loading_loaded_perc").value_or(""));
  // Valkey answers redis_version too, with the version it is compatible with.
  status.version = info.text("valkey_version").value_or(info.text("redis_version").value_or(""));
  status.stream = stream_name(info.text("master_replid").value_or(""));
  status.previous_stream = stream_name(info.text("master_replid2").value_or(""));
  // What maxmemory is compared with: without the buffers of replicas.
  const std::int64_t used = info.integer("used_memory").value_or(0) -
                            info.integer("mem_not_counted_for_evict").value_or(0);
  status.used_memory = std::uint64_t(std::max<std::int64_t>(used, 0));
  std::int64_t offset = info.integer("master_repl_offset").value_or(0);
  if (*role == "slave") {
    status.role = core::Role::kReplica;
    status.following = info.text("master_host").value_or("");
    status.link_up = info.text("master_link_status") == "up" &&
                     info.integer("master_sync_in_progress").value_or(0) == 0;
    offset = info.integer("slave_repl_offset").value_or(offset);
    // A full synchronisation begins the backlog anew, and every byte of the stream goes into it.
    status.stream_pending = status.link_up && info.integer("repl_backlog_histlen").value_or(1) == 0;
    // 1 is what an engine answers that has no place in any stream.
    status.has_copy = status.link_up || offset != 1;
  }
  status.has_fence = info.text("hikae_epoch").has_value();
  status.fenced = info.integer("hikae_epoch").value_or(0) != 0;
  status.counted_epoch = core::Epoch(
      std::uint64_t(std::max<std::int64_t>(info.integer("hikae_counted_epoch").value_or(0), 0)));
  status.promised = info.integer("hikae_promised_ms").value_or(0) != 0;
  status.replication_offset = std::uint64_t(std::max<std::int64_t>(offset, 0));
  status.applied = *role == "slave" ? status.replication_offset : 0;
  return status;
}

}  // namespace hikae::engine
