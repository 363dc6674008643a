#include "adapters/store_etcd/etcd_store.h"

#include <utility>

#include <fmt/format.h>

namespace hikae::etcd {
namespace {

using control::Awaitable;
using control::LeaderTerm;
using storage::RowChange;

// A client of the API waits for the answer.
constexpr Duration kCommitTimeout = std::chrono::seconds(5);
constexpr Duration kReadTimeout = std::chrono::seconds(5);
// Also the largest of them are an answer that is taken (net::kMaxResponseBytes, in base64).
constexpr std::size_t kRowsAtOnce = 64;
static_assert(kRowsAtOnce * kMaxRowBytes / 3 * 4 < net::kMaxResponseBytes);
// etcd may be compacted while its state is read page by page.
constexpr int kLoadTries = 5;
// Another server may unfold the same change at the same time.
constexpr int kUnfoldTries = 5;
constexpr std::size_t kNameLength = 16;

tl::unexpected<Error> conflict(core::Revision expected) {
  return fail(ErrorCode::kConflict, fmt::format("the state in etcd is not at revision {}; another "
                                                "server was first",
                                                expected.value()));
}

}  // namespace

EtcdStore::EtcdStore(EtcdClient& client, Random& random)
    : client_(client), layout_(client.prefix()), name_(random.hex(kNameLength)) {}

std::string EtcdStore::next_writer() {
  return fmt::format("{}-{}", name_, ++changes_);
}

// Holds only while the head is the one that we know.
TxnRequest EtcdStore::guarded() const {
  TxnRequest request;
  request.compare = {{Compare::What::kModRevision, layout_.head(), anchor_->mod_revision}};
  return request;
}

// Reading

Awaitable<Result<core::State>> EtcdStore::load() {
  auto state = co_await load_once();
  for (int tries = 1; tries < kLoadTries && !state; ++tries) {
    if (state.error().code != ErrorCode::kConflict) {
      break;
    }
    state = co_await load_once();
  }
  co_return state;
}

Awaitable<Result<core::State>> EtcdStore::load_once() {
  std::uint64_t etcd_revision = 0;
  auto anchor = co_await read_anchor(&etcd_revision);
  if (!anchor) {
    co_return tl::unexpected(anchor.error());
  }
  core::Transition rows;
  const Status read = co_await load_rows(etcd_revision, rows);
  if (!read) {
    co_return tl::unexpected(read.error());
  }
  if (!anchor->head.staged.empty()) {
    const auto changes = co_await staged_rows(anchor->head, etcd_revision);
    if (!changes) {
      co_return tl::unexpected(changes.error());
    }
    for (const RowChange& change : *changes) {
      if (Status added = storage::add_change(change, rows); !added) {
        co_return tl::unexpected(added.error());
      }
    }
  }
  core::State state;
  state.apply(rows, anchor->head.revision);
  loaded_ = Loaded{anchor->head.revision, etcd_revision};
  anchor_ = std::move(*anchor);
  co_return state;
}

Awaitable<Result<EtcdStore::Anchor>> EtcdStore::read_anchor(std::uint64_t* etcd_revision) {
  RangeRequest request;
  request.key = layout_.head();
  const auto answer = co_await client_.range(std::move(request), kReadTimeout);
  if (!answer) {
    co_return tl::unexpected(answer.error());
  }
  Anchor anchor;
  if (!answer->pairs.empty()) {
    auto head = head_of(answer->pairs.front().value);
    if (!head) {
      co_return tl::unexpected(head.error());
    }
    anchor.head = std::move(*head);
    anchor.mod_revision = answer->pairs.front().mod_revision;
  }
  *etcd_revision = answer->revision;
  co_return anchor;
}

// All at the same revision of etcd's store, however many pages that takes.
Awaitable<Status> EtcdStore::load_rows(std::uint64_t etcd_revision, core::Transition& rows) {
  std::string from = layout_.rows();
  bool more = true;
  while (more) {
    RangeRequest request;
    request.key = from;
    request.range_end = end_of_prefix(layout_.rows());
    request.revision = etcd_revision;
    request.limit = kRowsAtOnce;
    const auto page = co_await client_.range(std::move(request), kReadTimeout);
    if (!page) {
      co_return tl::unexpected(page.error());
    }
    for (const KeyValue& pair : page->pairs) {
      const auto row = layout_.row_of(pair.key);
      const Status added = row ? storage::add_row(row->kind, row->id, pair.value, rows)
                               : tl::unexpected(row.error());
      if (!added) {
        co_return added;
      }
    }
    more = page->more && !page->pairs.empty();
    if (more) {
      from = page->pairs.back().key + '\0';
    }
  }
  co_return Status();
}

Awaitable<Result<EtcdStore::Rows>> EtcdStore::staged_rows(Head head, std::uint64_t etcd_revision) {
  std::vector<std::string> chunks;
  for (std::uint64_t number = 0; number < head.chunks; ++number) {
    RangeRequest request;
    request.key = layout_.chunk(head.staged, number);
    request.revision = etcd_revision;
    const auto answer = co_await client_.range(std::move(request), kReadTimeout);
    if (!answer) {
      co_return tl::unexpected(answer.error());
    }
    if (answer->pairs.empty()) {
      break;
    }
    chunks.push_back(answer->pairs.front().value);
  }
  co_return unstage(head.staged, chunks);
}

// Writing

Awaitable<Status> EtcdStore::commit(core::Transition transition, core::Revision expected,
                                    std::optional<LeaderTerm> term) {
  Rows rows;
  rows.reserve(transition.changes.size());
  for (const core::Change& change : transition.changes) {
    rows.push_back(storage::to_row(change));
  }
  return replace(std::move(rows), expected, expected.next(), term);
}

Awaitable<Status> EtcdStore::restore(core::State state) {
  auto rows = storage::to_rows(state);
  return replace(std::move(rows), core::Revision(0), state.revision(), std::nullopt);
}

Awaitable<Status> EtcdStore::replace(Rows rows, core::Revision expected, core::Revision next,
                                     std::optional<LeaderTerm> term) {
  rows = last_of_each(std::move(rows));
  if (Status checked = check_sizes(rows); !checked) {
    co_return checked;
  }
  const Status ready = co_await make_ready(expected);
  if (!ready) {
    co_return ready;
  }
  Head head;
  head.revision = next;
  head.writer = next_writer();
  if (!fits_one_transaction(rows)) {
    const Staged staged = stage(rows);
    const Status put = co_await put_chunks(staged);
    if (!put) {
      co_return put;
    }
    head.staged = staged.name;
    head.chunks = staged.chunks.size();
    rows.clear();
  }
  co_return co_await move_head(std::move(head), rows, term);
}

// Until the head is the expected one and nothing is left to be unfolded.
Awaitable<Status> EtcdStore::make_ready(core::Revision expected) {
  for (int tries = 0; tries < kUnfoldTries; ++tries) {
    const Status found = co_await find_anchor(expected);
    if (!found || anchor_->head.staged.empty()) {
      co_return found;
    }
    Status unfolded = co_await unfold();
    if (!unfolded && unfolded.error().code != ErrorCode::kConflict) {
      // Unfolding changes nothing of the state.
      const bool late = unfolded.error().code == ErrorCode::kTimeout;
      unfolded.error().code = late ? ErrorCode::kUnavailable : unfolded.error().code;
      co_return unfolded;
    }
  }
  co_return conflict(expected);
}

// What the caller expects may be newer than what we have seen: another server's commit that a watch
// told.
Awaitable<Status> EtcdStore::find_anchor(core::Revision expected) {
  if (!anchor_ || anchor_->head.revision != expected) {
    std::uint64_t ignored = 0;
    auto anchor = co_await read_anchor(&ignored);
    if (!anchor) {
      co_return tl::unexpected(anchor.error());
    }
    anchor_ = std::move(*anchor);
  }
  if (anchor_->head.revision != expected) {
    co_return conflict(expected);
  }
  co_return Status();
}

// Each part only while the head stays: whoever was overtaken leaves nothing behind.
Awaitable<Status> EtcdStore::put_chunks(const Staged& staged) {
  for (std::size_t number = 0; number < staged.chunks.size(); ++number) {
    TxnRequest request = guarded();
    request.success.push_back(
        Operation::put(layout_.chunk(staged.name, number), staged.chunks[number]));
    const auto answer = co_await client_.txn(std::move(request), kCommitTimeout);
    if (!answer) {
      Error error = answer.error();
      // A part alone is nothing.
      error.code = error.code == ErrorCode::kTimeout ? ErrorCode::kUnavailable : error.code;
      co_return tl::unexpected(std::move(error));
    }
    if (!answer->succeeded) {
      co_return conflict(anchor_->head.revision);
    }
  }
  co_return Status();
}

// kConflict: the head is not the one that we know any more.
Awaitable<Status> EtcdStore::check_anchor() {
  const Anchor known = std::move(*anchor_);
  anchor_.reset();
  std::uint64_t ignored = 0;
  auto anchor = co_await read_anchor(&ignored);
  if (!anchor) {
    co_return tl::unexpected(anchor.error());
  }
  anchor_ = std::move(*anchor);
  if (anchor_->mod_revision != known.mod_revision) {
    co_return conflict(known.head.revision);
  }
  co_return Status();
}

// Every step may be repeated, by any server: the rows are the same, and the head moves once.
Awaitable<Status> EtcdStore::unfold() {
  auto rows = co_await staged_rows(anchor_->head, 0);
  if (!rows) {
    const Status same = co_await check_anchor();
    co_return same ? tl::unexpected(rows.error()) : same;
  }
  const auto parts = in_transactions(std::move(*rows));
  for (const Rows& part : parts) {
    TxnRequest request = guarded();
    for (const RowChange& row : part) {
      request.success.push_back(row.removed ? Operation::remove(layout_.row(row))
                                            : Operation::put(layout_.row(row), row.body));
    }
    const auto answer = co_await client_.txn(std::move(request), kCommitTimeout);
    if (!answer) {
      co_return tl::unexpected(answer.error());
    }
    if (!answer->succeeded) {
      const core::Revision expected = anchor_->head.revision;
      anchor_.reset();
      co_return conflict(expected);
    }
  }
  Head head = anchor_->head;
  head.staged.clear();
  head.chunks = 0;
  head.writer = next_writer();
  co_return co_await move_head(std::move(head), Rows(), std::nullopt);
}

// The commit point.
Awaitable<Status> EtcdStore::move_head(Head head, const Rows& rows,
                                       std::optional<LeaderTerm> term) {
  TxnRequest request = guarded();
  if (term) {
    request.compare.push_back({Compare::What::kCreateRevision, layout_.leader(), term->value()});
  }
  request.failure.push_back(Operation::get(layout_.head()));
  request.success.push_back(Operation::put(layout_.head(), to_value(head)));
  for (const RowChange& row : rows) {
    request.success.push_back(row.removed ? Operation::remove(layout_.row(row))
                                          : Operation::put(layout_.row(row), row.body));
  }
  // What a head does not name is of no use any more, whoever put it there.
  if (head.staged.empty()) {
    request.success.push_back(Operation::remove(layout_.staged(), end_of_prefix(layout_.staged())));
  }
  const auto answer = co_await client_.txn(std::move(request), kCommitTimeout);
  if (!answer) {
    anchor_.reset();
    co_return tl::unexpected(answer.error());
  }
  if (answer->succeeded) {
    anchor_ = Anchor{std::move(head), answer->revision};
    co_return Status();
  }
  co_return not_moved(*answer, std::move(head), term);
}

Status EtcdStore::not_moved(const TxnAnswer& answer, Head head, std::optional<LeaderTerm> term) {
  KeyValue stored;
  for (const KeyValue& pair : answer.pairs) {
    if (pair.key == layout_.head()) {
      stored = pair;
    }
  }
  // The first attempt had got through, this was the second.
  if (stored.value == to_value(head)) {
    anchor_ = Anchor{std::move(head), stored.mod_revision};
    return {};
  }
  const core::Revision expected = anchor_->head.revision;
  if (stored.mod_revision == anchor_->mod_revision && term) {
    return fail(ErrorCode::kDenied,
                fmt::format("this server leads no more (its term was {})", term->value()));
  }
  const bool maybe_made = answer.repeated && head.revision != expected;
  anchor_.reset();
  if (maybe_made) {
    return fail(ErrorCode::kTimeout,
                fmt::format("the state in etcd has left revision {}, and this change may be among "
                            "those since: its first answer was lost",
                            expected.value()));
  }
  return conflict(expected);
}

}  // namespace hikae::etcd
