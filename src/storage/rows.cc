#include "storage/rows.h"

#include <charconv>
#include <optional>
#include <type_traits>

#include <fmt/format.h>

#include "codec/record/record.h"

namespace hikae::storage {
namespace {

template <class Tag>
std::string key_text(const StrongId<Tag>& key) {
  return key.str();
}

template <class Tag>
std::string key_text(StrongNumber<Tag> key) {
  return std::to_string(key.value());
}

struct ToRow {
  template <class T>
  RowChange operator()(const core::Put<T>& put) const {
    return RowChange{T::kKind, key_text(put.value.key()), codec::to_json(put.value), false};
  }
  template <class T>
  RowChange operator()(const core::Remove<T>& remove) const {
    return RowChange{T::kKind, key_text(remove.key), {}, true};
  }
};

template <class Tag>
bool parse_key(std::string_view text, StrongId<Tag>& key) {
  key = StrongId<Tag>(std::string(text));
  return true;
}

template <class Tag>
bool parse_key(std::string_view text, StrongNumber<Tag>& key) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  key = StrongNumber<Tag>(number);
  return error == std::errc() && end == text.data() + text.size();
}

template <class T>
Status add_resource(std::string_view id, std::string_view body, core::Transition& transition) {
  Result<T> value = codec::from_json<T>(body);
  if (!value) {
    return fail(ErrorCode::kInvalid,
                fmt::format("stored {} {} is damaged: {}", T::kKind, id, value.error().message));
  }
  if (key_text(value->key()) != id) {
    return fail(ErrorCode::kInvalid, fmt::format("stored {} {} is damaged: its body names {}",
                                                 T::kKind, id, key_text(value->key())));
  }
  transition.put(std::move(*value));
  return {};
}

template <class T>
Status add_removal(std::string_view id, core::Transition& transition) {
  typename T::Key key;
  if (!parse_key(id, key)) {
    return fail(ErrorCode::kInvalid, fmt::format("{} is no key of a {}", id, T::kKind));
  }
  transition.remove<T>(std::move(key));
  return {};
}

// Tries each kind of resource in turn; nothing when none has that name.
template <class... T>
struct Kinds {
  static std::optional<Status> remove(std::string_view kind, std::string_view id,
                                      core::Transition& transition) {
    std::optional<Status> status;
    static_cast<void>(
        ((kind == T::kKind && (status = add_removal<T>(id, transition), true)) || ...));
    return status;
  }

  static void add_all(const core::State& state, std::vector<RowChange>& rows) {
    const auto add = [&rows](const auto& table) {
      for (const auto& [key, value] : table) {
        rows.push_back(to_row(core::Put<std::decay_t<decltype(value)>>{value}));
      }
    };
    (add(state.all<T>()), ...);
  }

  static std::optional<Status> add(std::string_view kind, std::string_view id,
                                   std::string_view body, core::Transition& transition) {
    std::optional<Status> status;
    static_cast<void>(
        ((kind == T::kKind && (status = add_resource<T>(id, body, transition), true)) || ...));
    return status;
  }
};

tl::unexpected<Error> unknown_kind(std::string_view kind, std::string_view id) {
  return fail(ErrorCode::kInvalid,
              fmt::format("stored resource {} is of the unknown kind {}; was it written by a "
                          "newer hikae?",
                          id, kind));
}

// A row as a line is read; one with `removed` has no body.
struct Line {
  std::string kind;
  std::string id;
  std::string body;
  bool removed = false;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("kind", s.kind);
    v("id", s.id);
    v("body", s.body);
    v("removed", s.removed);
  }
};

}  // namespace

RowChange to_row(const core::Change& change) {
  return std::visit(ToRow(), change);
}

std::vector<RowChange> to_rows(const core::State& state) {
  std::vector<RowChange> rows;
  core::WithResources<Kinds>::add_all(state, rows);
  return rows;
}

Status add_row(std::string_view kind, std::string_view id, std::string_view body,
               core::Transition& transition) {
  auto status = core::WithResources<Kinds>::add(kind, id, body, transition);
  return status ? *status : unknown_kind(kind, id);
}

Status add_change(const RowChange& row, core::Transition& transition) {
  if (!row.removed) {
    return add_row(row.kind, row.id, row.body, transition);
  }
  auto status = core::WithResources<Kinds>::remove(row.kind, row.id, transition);
  return status ? *status : unknown_kind(row.kind, row.id);
}

std::string to_line(const RowChange& row) {
  return codec::to_json(Line{row.kind, row.id, row.body, row.removed});
}

Result<RowChange> from_line(std::string_view line) {
  auto read = codec::from_json<Line>(line);
  if (!read) {
    return tl::unexpected(read.error());
  }
  return RowChange{std::move(read->kind), std::move(read->id), std::move(read->body),
                   read->removed};
}

}  // namespace hikae::storage
