#include "adapters/store_etcd/etcd_watch.h"

#include <utility>

#include <fmt/format.h>

namespace hikae::etcd {
namespace {

using control::Awaitable;
using control::Commit;

// How long a lost connection to a member may go unnoticed.
constexpr Duration kSilence = std::chrono::seconds(10);

}  // namespace

EtcdWatch::EtcdWatch(EtcdClient& client, EtcdStore& store)
    : client_(client), store_(store), layout_(client.prefix()) {}

void EtcdWatch::stop() {
  stopped_ = true;
  if (stream_) {
    stream_->close();
  }
}

void EtcdWatch::disconnect() {
  stream_.reset();
  ++member_;
}

Awaitable<Result<std::optional<Commit>>> EtcdWatch::next(core::Revision seen) {
  std::size_t failures = 0;
  while (!stopped_) {
    while (!ready_.empty()) {
      Commit commit = std::move(ready_.front());
      ready_.pop_front();
      if (commit.revision > seen) {
        co_return std::optional<Commit>(std::move(commit));
      }
    }
    if (!stream_) {
      const Status opened = co_await open();
      if (!opened) {
        co_return tl::unexpected(opened.error());
      }
    }
    const Status status = co_await receive();
    if (!status && status.error().code == ErrorCode::kConflict) {
      disconnect();
      position_ = 0;
      co_return std::optional<Commit>();
    }
    if (status) {
      failures = 0;
      continue;
    }
    disconnect();
    const bool silent = status.error().code == ErrorCode::kTimeout;
    failures += silent ? 0 : 1;
    if (failures > client_.members()) {
      co_return tl::unexpected(status.error());
    }
  }
  co_return fail(ErrorCode::kUnavailable, "the watch was stopped");
}

Awaitable<Status> EtcdWatch::open() {
  if (position_ == 0) {
    position_ = store_.loaded().etcd_revision + 1;
  }
  Error last;
  for (std::size_t tries = 0; tries < client_.members() && !stopped_; ++tries) {
    auto stream = co_await client_.watch(member_, layout_.state(), position_);
    if (stream) {
      stream_ = std::move(*stream);
      co_return Status();
    }
    last = stream.error();
    last.code = ErrorCode::kUnavailable;
    ++member_;
  }
  co_return tl::unexpected(std::move(last));
}

Awaitable<Status> EtcdWatch::receive() {
  if (stopped_) {
    co_return fail(ErrorCode::kUnavailable, "the watch was stopped");
  }
  const auto answer = co_await stream_->next(kSilence);
  if (!answer) {
    Error error = answer.error();
    if (error.code == ErrorCode::kInternal) {
      client_.forget_token();  // a refusal, perhaps of the token
    }
    // More at once than is taken: the whole state is smaller.
    const bool too_much = error.code == ErrorCode::kExhausted;
    error.code = too_much ? ErrorCode::kConflict : error.code;
    co_return tl::unexpected(std::move(error));
  }
  if (answer->compact_revision != 0) {
    co_return fail(ErrorCode::kConflict, "what comes next was compacted");
  }
  if (answer->cancelled) {
    client_.forget_token();  // etcd may have forgotten it
    co_return fail(ErrorCode::kUnavailable,
                   fmt::format("etcd ended the watch: {}", answer->reason));
  }
  auto steps = steps_of(*answer);
  if (!steps) {
    co_return tl::unexpected(steps.error());
  }
  for (Step& step : *steps) {
    const std::uint64_t etcd_revision = step.etcd_revision;
    const Status taken = co_await take(std::move(step));
    if (!taken) {
      co_return taken;
    }
    position_ = etcd_revision + 1;
  }
  co_return Status();
}

Result<std::vector<EtcdWatch::Step>> EtcdWatch::steps_of(const WatchAnswer& answer) const {
  std::vector<Step> steps;
  for (const WatchEvent& event : answer.events) {
    if (steps.empty() || steps.back().etcd_revision != event.pair.mod_revision) {
      steps.emplace_back();
      steps.back().etcd_revision = event.pair.mod_revision;
    }
    Step& step = steps.back();
    if (event.pair.key == layout_.head()) {
      auto head = head_of(event.pair.value);
      if (event.removed || !head) {
        // Somebody emptied or damaged the state; loading it tells more.
        return fail(ErrorCode::kConflict, "the state's head is gone");
      }
      step.head = std::move(*head);
      continue;
    }
    auto row = layout_.row_of(event.pair.key);
    if (!row) {
      return tl::unexpected(row.error());
    }
    row->removed = event.removed;
    row->body = event.pair.value;
    step.rows.push_back(std::move(*row));
  }
  return steps;
}

Awaitable<Status> EtcdWatch::take(Step step) {
  if (!step.head) {
    co_return Status();
  }
  if (!step.head->staged.empty()) {
    auto rows = co_await store_.staged_rows(*step.head, step.etcd_revision);
    if (!rows) {
      co_return tl::unexpected(rows.error());
    }
    step.rows = std::move(*rows);
  }
  Commit commit;
  commit.revision = step.head->revision;
  for (const storage::RowChange& row : step.rows) {
    if (Status added = storage::add_change(row, commit.transition); !added) {
      co_return added;
    }
  }
  ready_.push_back(std::move(commit));
  co_return Status();
}

}  // namespace hikae::etcd
