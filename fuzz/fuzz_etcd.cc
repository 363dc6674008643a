// Any bytes as an answer of etcd, as the state's head and as a staged change: safe, and what is
// accepted keeps the promises of the types.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/store_etcd/layout.h"
#include "adapters/store_etcd/messages.h"
#include "base/check.h"
#include "codec/text/digest.h"
#include "storage/rows.h"

using namespace hikae;

namespace {

void check_pairs(const std::vector<etcd::KeyValue>& pairs) {
  const etcd::Layout layout("/hikae/r");
  for (const etcd::KeyValue& pair : pairs) {
    HIKAE_CHECK(!pair.key.empty());
    const auto row = layout.row_of(pair.key);
    HIKAE_CHECK(!row || layout.row(*row) == pair.key);
  }
}

void read_answers(std::string_view text) {
  if (const auto range = etcd::read_range(text)) {
    HIKAE_CHECK(range->revision != 0);
    check_pairs(range->pairs);
  }
  if (const auto txn = etcd::read_txn(text)) {
    HIKAE_CHECK(txn->revision != 0);
    check_pairs(txn->pairs);
  }
  if (const auto lease = etcd::read_grant(text)) {
    HIKAE_CHECK(lease->id != 0 && lease->ttl_seconds > 0);
  }
  if (const auto lease = etcd::read_keep_alive(text)) {
    HIKAE_CHECK(lease->id != 0);
  }
  if (const auto token = etcd::read_token(text)) {
    HIKAE_CHECK(!token->empty());
  }
  if (const auto watch = etcd::read_watch(text)) {
    for (const etcd::WatchEvent& event : watch->events) {
      check_pairs({event.pair});
    }
  }
  (void)etcd::read_refusal(text);
}

void read_head(std::string_view text) {
  if (const auto head = etcd::head_of(text)) {
    const auto again = etcd::head_of(etcd::to_value(*head));
    HIKAE_CHECK(again && etcd::to_value(*again) == etcd::to_value(*head));
  }
}

// Under the name that its content decides, because hardly any bytes would get past another.
void read_staged(const std::string& text) {
  const auto rows = etcd::unstage(codec::sha256_hex(text), {text});
  if (!rows) {
    return;
  }
  core::Transition transition;
  for (const storage::RowChange& row : *rows) {
    (void)storage::add_change(row, transition);
  }
  const etcd::Staged staged = etcd::stage(*rows);
  const auto again = etcd::unstage(staged.name, staged.chunks);
  HIKAE_CHECK(again && *again == *rows);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  read_answers(text);
  read_head(text);
  read_staged(text);
  return 0;
}
