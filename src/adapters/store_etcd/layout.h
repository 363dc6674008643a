#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/store_etcd/messages.h"
#include "base/result.h"
#include "core/resource/ids.h"
#include "storage/rows.h"

// How a region lies in etcd (docs/adr/0017-state-in-etcd.md). Pure.
//
//   <prefix>/state/head            the revision, and what is still to be unfolded
//   <prefix>/state/row/<kind>/<id> one resource, as JSON
//   <prefix>/staged/<name>/<n>     a part of a change that is too large for one transaction
//   <prefix>/leader                who leads, bound to its lease
//   <prefix>/servers/<name>        where that server answers, bound to a lease of its own

namespace hikae::etcd {

// What etcd takes in one transaction by default (--max-txn-ops 128, --max-request-bytes 1.5 MiB),
// less the operations on the head and what the message needs around the rows.
inline constexpr std::size_t kMaxRowsInTxn = 120;
inline constexpr std::size_t kMaxBytesInTxn = 1024 * 1024;
inline constexpr std::size_t kMaxRowBytes = kMaxBytesInTxn / 2;
inline constexpr std::size_t kChunkBytes = kMaxBytesInTxn / 2;

// The value of the leader's key: its name, this, and the number of its lease.
inline constexpr std::string_view kLeaseInLeader = " lease ";

class Layout {
 public:
  explicit Layout(std::string prefix) : prefix_(std::move(prefix)) {}
  std::string state() const { return prefix_ + "/state/"; }
  std::string head() const { return prefix_ + "/state/head"; }
  std::string rows() const { return prefix_ + "/state/row/"; }
  std::string row(const storage::RowChange& row) const { return rows() + row.kind + "/" + row.id; }
  std::string staged() const { return prefix_ + "/staged/"; }
  std::string chunk(std::string_view name, std::uint64_t number) const;
  std::string leader() const { return prefix_ + "/leader"; }
  std::string servers() const { return prefix_ + "/servers/"; }

  // The row behind a key below rows(), without its body. kInvalid: it is none.
  Result<storage::RowChange> row_of(std::string_view key) const;

 private:
  std::string prefix_;
};

// The value of the head: the commit point of every change.
struct Head {
  static constexpr std::uint32_t kFormat = 1;
  std::uint32_t format = kFormat;
  core::Revision revision;
  std::string writer;  // different for each change: a server recognises its own
  // Not empty: the change is `chunks` parts under this name, and counts as made. Whoever changes
  // the state next first writes them out as rows.
  std::string staged;
  std::uint64_t chunks = 0;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("format", s.format);
    v("revision", s.revision);
    v("writer", s.writer);
    v("staged", s.staged);
    v("chunks", s.chunks);
  }
};

std::string to_value(const Head& head);
// kInvalid: damaged, or written by a newer version.
Result<Head> head_of(std::string_view value);

// Rows for one transaction each.
std::vector<std::vector<storage::RowChange>> in_transactions(std::vector<storage::RowChange> rows);
bool fits_one_transaction(const std::vector<storage::RowChange>& rows);
// kExhausted names a row that etcd would refuse.
Status check_sizes(const std::vector<storage::RowChange>& rows);
// Of several rows with the same key only the last, because a transaction takes no key twice.
std::vector<storage::RowChange> last_of_each(std::vector<storage::RowChange> rows);

// A large change as one text, cut into chunks, under a name that its content decides: two servers
// cannot mix their parts, and damage is noticed.
struct Staged {
  std::string name;
  std::vector<std::string> chunks;
};
Staged stage(const std::vector<storage::RowChange>& rows);
// kInvalid: not what was staged.
Result<std::vector<storage::RowChange>> unstage(std::string_view name,
                                                const std::vector<std::string>& chunks);

}  // namespace hikae::etcd
