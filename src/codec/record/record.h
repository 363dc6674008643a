#pragma once

#include <concepts>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/shared_map.h"
#include "base/strong.h"
#include "base/time.h"
#include "codec/record/record_reader.h"
#include "codec/record/record_writer.h"

// Values as JSON text and back, for every struct that lists its fields in a static visit(self, v).
//
//   std::string text = to_json(vpc);
//   Result<Vpc> again = from_json<Vpc>(text);
//
// Reading is strict about types (the error names the field) and lenient about the set of fields: an
// unknown field is ignored, a missing one keeps the struct's default. So older records load into
// newer structs, and a field may be added without a migration. Renaming or retyping one needs a new
// name. Enumerations are numbers: give new values at the end.

namespace hikae::codec {

namespace record_detail {

struct AnyVisitor {
  template <class T>
  void operator()(const char*, T&) const {}
};

template <class T>
concept Visitable = requires(T& value, AnyVisitor visitor) { T::visit(value, visitor); };

template <class T>
struct Codec;

template <class T>
void write(RecordWriter& out, const T& value) {
  Codec<T>::write(out, value);
}

// The place of the value being read, for the message when its type is wrong.
class Path {
 public:
  explicit Path(std::string text) : text_(std::move(text)) {}
  Path field(std::string_view name) const {
    return Path(text_.empty() ? std::string(name) : text_ + "." + std::string(name));
  }
  Path element(std::size_t index) const { return Path(text_ + "[" + std::to_string(index) + "]"); }
  tl::unexpected<Error> wrong(std::string_view expected) const {
    return fail(ErrorCode::kInvalid, (text_.empty() ? std::string("the record") : text_) +
                                         " is not " + std::string(expected));
  }

 private:
  std::string text_;
};

template <class T>
Status read(RecordNode node, const Path& path, T& value) {
  return Codec<T>::read(node, path, value);
}

template <>
struct Codec<bool> {
  static void write(RecordWriter& out, bool value) { out.boolean(value); }
  static Status read(RecordNode node, const Path& path, bool& value) {
    const auto flag = node.as_boolean();
    if (!flag) {
      return path.wrong("a boolean");
    }
    value = *flag;
    return {};
  }
};

template <std::signed_integral T>
struct Codec<T> {
  static void write(RecordWriter& out, T value) { out.integer(value); }
  static Status read(RecordNode node, const Path& path, T& value) {
    const auto number = node.as_integer();
    if (!number || !std::in_range<T>(*number)) {
      return path.wrong("an integer in range");
    }
    value = static_cast<T>(*number);
    return {};
  }
};

template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>)
struct Codec<T> {
  static void write(RecordWriter& out, T value) { out.unsigned_integer(value); }
  static Status read(RecordNode node, const Path& path, T& value) {
    const auto number = node.as_unsigned();
    if (!number || !std::in_range<T>(*number)) {
      return path.wrong("an unsigned integer in range");
    }
    value = static_cast<T>(*number);
    return {};
  }
};

template <class T>
  requires std::is_enum_v<T>
struct Codec<T> {
  using Number = std::underlying_type_t<T>;
  static void write(RecordWriter& out, T value) {
    Codec<Number>::write(out, static_cast<Number>(value));
  }
  static Status read(RecordNode node, const Path& path, T& value) {
    Number number = 0;
    Status status = Codec<Number>::read(node, path, number);
    if (status) {
      value = static_cast<T>(number);
    }
    return status;
  }
};

template <>
struct Codec<std::string> {
  static void write(RecordWriter& out, const std::string& value) { out.string(value); }
  static Status read(RecordNode node, const Path& path, std::string& value) {
    const auto text = node.as_string();
    if (!text) {
      return path.wrong("a string");
    }
    value = *text;
    return {};
  }
};

template <class Tag>
struct Codec<StrongId<Tag>> {
  static void write(RecordWriter& out, const StrongId<Tag>& value) { out.string(value.str()); }
  static Status read(RecordNode node, const Path& path, StrongId<Tag>& value) {
    const auto text = node.as_string();
    if (!text) {
      return path.wrong("a string");
    }
    value = StrongId<Tag>(std::string(*text));
    return {};
  }
};

template <class Tag>
struct Codec<StrongNumber<Tag>> {
  static void write(RecordWriter& out, StrongNumber<Tag> value) {
    out.unsigned_integer(value.value());
  }
  static Status read(RecordNode node, const Path& path, StrongNumber<Tag>& value) {
    const auto number = node.as_unsigned();
    if (!number) {
      return path.wrong("an unsigned integer");
    }
    value = StrongNumber<Tag>(*number);
    return {};
  }
};

template <>
struct Codec<Instant> {
  static void write(RecordWriter& out, Instant value) { out.integer(value.microseconds()); }
  static Status read(RecordNode node, const Path& path, Instant& value) {
    const auto number = node.as_integer();
    if (!number) {
      return path.wrong("a time in microseconds");
    }
    value = Instant(*number);
    return {};
  }
};

template <>
struct Codec<Monotonic> {
  static void write(RecordWriter& out, Monotonic value) { out.integer(value.microseconds()); }
  static Status read(RecordNode node, const Path& path, Monotonic& value) {
    const auto number = node.as_integer();
    if (!number) {
      return path.wrong("a time in microseconds");
    }
    value = Monotonic(*number);
    return {};
  }
};

template <>
struct Codec<Ipv4> {
  static void write(RecordWriter& out, Ipv4 value) { out.string(value.str()); }
  static Status read(RecordNode node, const Path& path, Ipv4& value) {
    const auto text = node.as_string();
    const auto address = text ? Ipv4::parse(*text) : std::nullopt;
    if (!address) {
      return path.wrong("an IPv4 address");
    }
    value = *address;
    return {};
  }
};

template <>
struct Codec<Cidr> {
  static void write(RecordWriter& out, const Cidr& value) { out.string(value.str()); }
  static Status read(RecordNode node, const Path& path, Cidr& value) {
    const auto text = node.as_string();
    const auto network = text ? Cidr::parse(*text) : std::nullopt;
    if (!network) {
      return path.wrong("an IPv4 network");
    }
    value = *network;
    return {};
  }
};

template <class T>
struct Codec<std::optional<T>> {
  static void write(RecordWriter& out, const std::optional<T>& value) {
    if (value) {
      Codec<T>::write(out, *value);
    } else {
      out.null();
    }
  }
  static Status read(RecordNode node, const Path& path, std::optional<T>& value) {
    if (node.is_null()) {
      value.reset();
      return {};
    }
    T inner{};
    Status status = Codec<T>::read(node, path, inner);
    if (status) {
      value = std::move(inner);
    }
    return status;
  }
};

template <class T>
struct Codec<std::vector<T>> {
  static void write(RecordWriter& out, const std::vector<T>& value) {
    out.begin_array();
    for (const T& element : value) {
      Codec<T>::write(out, element);
    }
    out.end_array();
  }
  static Status read(RecordNode node, const Path& path, std::vector<T>& value) {
    if (!node.is_array()) {
      return path.wrong("an array");
    }
    value.clear();
    Status status;
    node.for_each_element([&](std::size_t index, RecordNode element) {
      T inner{};
      status = Codec<T>::read(element, path.element(index), inner);
      value.push_back(std::move(inner));
      return status.has_value();
    });
    return status;
  }
};

template <class T>
struct Codec<std::map<std::string, T>> {
  static void write(RecordWriter& out, const std::map<std::string, T>& value) {
    out.begin_object();
    for (const auto& [key, element] : value) {
      out.key(key);
      Codec<T>::write(out, element);
    }
    out.end_object();
  }
  static Status read(RecordNode node, const Path& path, std::map<std::string, T>& value) {
    if (!node.is_object()) {
      return path.wrong("an object");
    }
    value.clear();
    Status status;
    node.for_each_member([&](std::string_view key, RecordNode element) {
      T inner{};
      status = Codec<T>::read(element, path.field(key), inner);
      value.insert_or_assign(std::string(key), std::move(inner));
      return status.has_value();
    });
    return status;
  }
};

template <>
struct Codec<SharedMap> {
  static void write(RecordWriter& out, const SharedMap& value) {
    Codec<SharedMap::Map>::write(out, value.get());
  }
  static Status read(RecordNode node, const Path& path, SharedMap& value) {
    SharedMap::Map map;
    Status status = Codec<SharedMap::Map>::read(node, path, map);
    if (status) {
      value = SharedMap(std::move(map));
    }
    return status;
  }
};

template <Visitable T>
struct Codec<T> {
  static void write(RecordWriter& out, const T& value) {
    out.begin_object();
    T::visit(value, [&out](const char* name, const auto& field) {
      out.key(name);
      record_detail::write(out, field);
    });
    out.end_object();
  }
  static Status read(RecordNode node, const Path& path, T& value) {
    if (!node.is_object()) {
      return path.wrong("an object");
    }
    Status status;
    T::visit(value, [&](const char* name, auto& field) {
      const auto member = status ? node.member(name) : std::nullopt;
      if (member) {
        status = record_detail::read(*member, path.field(name), field);
      }
    });
    return status;
  }
};

}  // namespace record_detail

// One value as a part of a larger text.
template <class T>
void write_record(RecordWriter& out, const T& value) {
  record_detail::write(out, value);
}

// The value at `node`; `name` is how the message of an error calls the place.
template <class T>
Result<T> from_record(RecordNode node, std::string_view name) {
  T value{};
  Status status = record_detail::read(node, record_detail::Path(std::string(name)), value);
  if (!status) {
    return tl::unexpected(std::move(status.error()));
  }
  return value;
}

template <class T>
std::string to_json(const T& value) {
  RecordWriter out;
  record_detail::write(out, value);
  return out.take();
}

// kInvalid: not JSON, too large or deep, or a field of the wrong type, which the message names.
template <class T>
Result<T> from_json(std::string_view text) {
  auto document = RecordDocument::parse(text);
  if (!document) {
    return tl::unexpected(std::move(document.error()));
  }
  return from_record<T>(document->root(), "");
}

}  // namespace hikae::codec
