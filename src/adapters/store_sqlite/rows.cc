#include "adapters/store_sqlite/rows.h"

#include <fmt/format.h>

#include "codec/record/record.h"

namespace hikae::adapters {
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

// Tries each kind of resource in turn; nothing when none has that name.
template <class... T>
struct Kinds {
  static std::optional<Status> add(std::string_view kind, std::string_view id,
                                   std::string_view body, core::Transition& transition) {
    std::optional<Status> status;
    static_cast<void>(
        ((kind == T::kKind && (status = add_resource<T>(id, body, transition), true)) || ...));
    return status;
  }
};

}  // namespace

RowChange to_row(const core::Change& change) {
  return std::visit(ToRow(), change);
}

Status add_row(std::string_view kind, std::string_view id, std::string_view body,
               core::Transition& transition) {
  auto status = core::WithResources<Kinds>::add(kind, id, body, transition);
  if (!status) {
    return fail(ErrorCode::kInvalid,
                fmt::format("stored resource {} is of the unknown kind {}; was it written by a "
                            "newer hikae?",
                            id, kind));
  }
  return *status;
}

}  // namespace hikae::adapters
