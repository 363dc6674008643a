#include "adapters/store_etcd/layout.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "codec/record/record.h"
#include "codec/text/digest.h"

namespace hikae::etcd {
namespace {

using storage::RowChange;
using Rows = std::vector<RowChange>;

std::size_t size_of(const RowChange& row) {
  constexpr std::size_t kAround = 256;  // prefix and framing
  return row.kind.size() + row.id.size() + row.body.size() + kAround;
}

}  // namespace

std::string Layout::chunk(std::string_view name, std::uint64_t number) const {
  return fmt::format("{}{}/{:06}", staged(), name, number);
}

Result<RowChange> Layout::row_of(std::string_view key) const {
  const std::string start = rows();
  const bool below = key.substr(0, start.size()) == start;
  const std::string_view rest = below ? key.substr(start.size()) : std::string_view();
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) {
    return fail(ErrorCode::kInvalid, fmt::format("etcd key {} is not one of Hikae's", key));
  }
  RowChange row;
  row.kind = rest.substr(0, slash);
  row.id = rest.substr(slash + 1);
  return row;
}

std::string to_value(const Head& head) {
  return codec::to_json(head);
}

Result<Head> head_of(std::string_view value) {
  auto head = codec::from_json<Head>(value);
  if (!head) {
    return fail(ErrorCode::kInvalid,
                fmt::format("the state's head in etcd is damaged: {}", head.error().message));
  }
  if (head->format > Head::kFormat) {
    return fail(ErrorCode::kInvalid,
                fmt::format("the state in etcd was written by a newer hikae (format {}, this one "
                            "knows {}); run that version",
                            head->format, Head::kFormat));
  }
  return head;
}

std::vector<Rows> in_transactions(Rows rows) {
  std::vector<Rows> out;
  std::size_t bytes = 0;
  for (RowChange& row : rows) {
    const std::size_t size = size_of(row);
    if (out.empty() || out.back().size() == kMaxRowsInTxn || bytes + size > kMaxBytesInTxn) {
      out.emplace_back();
      bytes = 0;
    }
    bytes += size;
    out.back().push_back(std::move(row));
  }
  return out;
}

bool fits_one_transaction(const Rows& rows) {
  std::size_t bytes = 0;
  for (const RowChange& row : rows) {
    bytes += size_of(row);
  }
  return rows.size() <= kMaxRowsInTxn && bytes <= kMaxBytesInTxn;
}

Status check_sizes(const Rows& rows) {
  for (const RowChange& row : rows) {
    if (size_of(row) > kMaxRowBytes) {
      return fail(ErrorCode::kExhausted,
                  fmt::format("{} {} needs {} bytes, more than the {} that etcd is asked to take",
                              row.kind, row.id, size_of(row), kMaxRowBytes));
    }
  }
  return {};
}

Rows last_of_each(Rows rows) {
  std::set<std::pair<std::string, std::string>> seen;
  Rows out;
  for (auto it = rows.rbegin(); it != rows.rend(); ++it) {
    if (seen.emplace(it->kind, it->id).second) {
      out.push_back(std::move(*it));
    }
  }
  return out;
}

Staged stage(const Rows& rows) {
  std::string text;
  for (const RowChange& row : rows) {
    text += storage::to_line(row) + "\n";
  }
  Staged staged;
  staged.name = codec::sha256_hex(text);
  for (std::size_t start = 0; start < text.size(); start += kChunkBytes) {
    staged.chunks.push_back(text.substr(start, kChunkBytes));
  }
  return staged;
}

Result<Rows> unstage(std::string_view name, const std::vector<std::string>& chunks) {
  std::string text;
  for (const std::string& chunk : chunks) {
    text += chunk;
  }
  if (codec::sha256_hex(text) != name) {
    return fail(
        ErrorCode::kInvalid,
        fmt::format("the staged change {} in etcd is damaged; restore etcd from a snapshot", name));
  }
  Rows rows;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    auto row = storage::from_line(std::string_view(text).substr(start, end - start));
    if (!row) {
      return tl::unexpected(row.error());
    }
    rows.push_back(std::move(*row));
    start = end + 1;
  }
  return rows;
}

}  // namespace hikae::etcd
