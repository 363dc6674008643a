#include "storage/archive.h"

#include <utility>

#include <fmt/format.h>

#include "codec/record/record.h"
#include "codec/text/digest.h"
#include "codec/text/encoding.h"
#include "storage/rows.h"

namespace hikae::storage {
namespace {

constexpr const char* kFormat = "hikae-region";

struct FirstLine {
  std::string format;
  std::uint32_t version = 0;
  std::string region;  // for people who look at the file
  core::Revision revision;
  std::uint64_t rows = 0;
  std::string secret;  // base64
  std::string access_key_id;
  std::string secret_access_key;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("format", s.format);
    v("version", s.version);
    v("region", s.region);
    v("revision", s.revision);
    v("rows", s.rows);
    v("secret", s.secret);
    v("access_key_id", s.access_key_id);
    v("secret_access_key", s.secret_access_key);
  }
};

struct LastLine {
  std::string sha256;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("sha256", s.sha256);
  }
};

tl::unexpected<Error> damaged(std::string_view why) {
  return fail(ErrorCode::kInvalid, fmt::format("it is not a whole export of a region: {}", why));
}

// Takes the next line off the text.
std::string_view next_line(std::string_view& text) {
  const auto end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return line;
}

Status check_digest(std::string_view text) {
  const bool ended = text.size() > 1 && text.back() == '\n';
  const auto end = ended ? text.rfind('\n', text.size() - 2) : std::string_view::npos;
  if (end == std::string_view::npos) {
    return damaged("its end is missing");
  }
  const auto last = codec::from_json<LastLine>(text.substr(end + 1));
  if (!last || last->sha256 != codec::sha256_hex(text.substr(0, end + 1))) {
    return damaged("its end is missing, or it was changed");
  }
  return {};
}

Result<FirstLine> read_first(std::string_view line) {
  auto first = codec::from_json<FirstLine>(line);
  if (!first || first->format != kFormat) {
    return damaged("its first line says otherwise");
  }
  if (first->version > Archive::kVersion) {
    return fail(ErrorCode::kInvalid,
                fmt::format("it was written by a newer hikae (version {}, this one knows {})",
                            first->version, Archive::kVersion));
  }
  return first;
}

}  // namespace

std::string write_archive(const Archive& archive) {
  const auto rows = to_rows(archive.state);
  FirstLine first;
  first.format = kFormat;
  first.version = Archive::kVersion;
  first.region = archive.state.region().name;
  first.revision = archive.state.revision();
  first.rows = rows.size();
  first.secret = codec::base64_encode(archive.secret);
  first.access_key_id = archive.access_key_id;
  first.secret_access_key = archive.secret_access_key;
  std::string text = codec::to_json(first) + "\n";
  for (const RowChange& row : rows) {
    text += to_line(row) + "\n";
  }
  LastLine last;
  last.sha256 = codec::sha256_hex(text);
  text += codec::to_json(last) + "\n";
  return text;
}

Result<Archive> read_archive(std::string_view text) {
  std::string_view rest = text;
  auto first = read_first(next_line(rest));
  if (!first) {
    return tl::unexpected(first.error());
  }
  if (Status checked = check_digest(text); !checked) {
    return tl::unexpected(checked.error());
  }
  core::Transition rows;
  for (std::uint64_t i = 0; i < first->rows; ++i) {
    const auto row = from_line(next_line(rest));
    if (!row || row->removed) {
      return damaged(fmt::format("row {} cannot be read", i + 1));
    }
    if (Status added = add_change(*row, rows); !added) {
      return tl::unexpected(added.error());
    }
  }
  next_line(rest);  // the end
  if (!rest.empty()) {
    return damaged("it has more rows than its first line says");
  }
  auto secret = codec::base64_decode(first->secret);
  if (!secret) {
    return damaged("the secret cannot be read");
  }
  Archive archive;
  archive.state.apply(rows, first->revision);
  archive.secret = std::move(*secret);
  archive.access_key_id = std::move(first->access_key_id);
  archive.secret_access_key = std::move(first->secret_access_key);
  if (archive.state.all<core::Region>().size() != 1) {
    return damaged("it holds no region");
  }
  return archive;
}

}  // namespace hikae::storage
