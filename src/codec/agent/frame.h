#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "codec/record/record.h"

// The language of the region's servers and the agents of its hosts: text messages of one JSON
// object, `{"type":"ping","body":{...}}`.
//
// A message may get new fields and there may be new messages without a new major version: unknown
// ones are ignored. Partners of different major versions refuse each other, and so that they can
// say so, hello, join, welcome and refusal keep their form in every version.

namespace hikae::codec::agent {

struct ProtocolVersion {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::string str() const;
  friend bool operator==(const ProtocolVersion&, const ProtocolVersion&) = default;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("major", s.major);
    v("minor", s.minor);
  }
};
inline constexpr ProtocolVersion kProtocol{1, 1};

enum class MessageType {
  kUnknown,  // of a later version: ignore it
  kHello,
  kWelcome,
  kJoin,
  kJoined,
  kRefusal,
  kAssignment,
  kReport,
  kPing,
  kPong,
  kRenew,
  kRenewed,
  kLease,
  kLeased,
};

std::string_view name_of(MessageType type);

// The largest text of a message. Before it is known who speaks, kMaxGreetingBytes for all.
inline constexpr std::size_t kMaxGreetingBytes = 64 * 1024;
inline constexpr std::size_t kMaxMessageBytes = kMaxRecordBytes;
std::size_t max_bytes(MessageType type);

// A message whose type is known and whose body was not read yet.
class Frame {
 public:
  // kInvalid: no JSON object with a type and a body, or too large for its type.
  static Result<Frame> parse(std::string_view text);
  MessageType type() const { return type_; }
  // `T` is a message: it has kType, visit() and check(). kInvalid: another type, or a field that is
  // wrong, which is named.
  template <class T>
  Result<T> body() const {
    if (type_ != T::kType) {
      return fail(ErrorCode::kInvalid, wrong_type(T::kType));
    }
    Result<T> value = from_record<T>(*document_.root().member("body"), name_of(type_));
    if (value) {
      if (Status checked = value->check(); !checked) {
        return tl::unexpected(std::move(checked.error()));
      }
    }
    return value;
  }

 private:
  Frame(RecordDocument document, MessageType type) : document_(std::move(document)), type_(type) {}
  std::string wrong_type(MessageType expected) const;

  RecordDocument document_;
  MessageType type_;
};

template <class T>
std::string encode(const T& message) {
  RecordWriter out;
  out.begin_object();
  out.key("type");
  out.string(name_of(T::kType));
  out.key("body");
  write_record(out, message);
  out.end_object();
  return out.take();
}

// For check(): the text is not longer than `most` bytes and has no control characters.
Status check_text(std::string_view field, std::string_view text, std::size_t most);

}  // namespace hikae::codec::agent
