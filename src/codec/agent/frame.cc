#include "codec/agent/frame.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace hikae::codec::agent {
namespace {

struct TypeInfo {
  MessageType type;
  std::string_view name;
  std::size_t max_bytes;
};

constexpr std::size_t kSmall = 1024;
constexpr std::size_t kCertificates = 64 * 1024;

constexpr std::array kTypes = {
    TypeInfo{MessageType::kHello, "hello", kMaxGreetingBytes},
    TypeInfo{MessageType::kWelcome, "welcome", kMaxGreetingBytes},
    TypeInfo{MessageType::kJoin, "join", kMaxGreetingBytes},
    TypeInfo{MessageType::kJoined, "joined", kCertificates},
    TypeInfo{MessageType::kRefusal, "refusal", kMaxGreetingBytes},
    TypeInfo{MessageType::kAssignment, "assignment", kMaxMessageBytes},
    TypeInfo{MessageType::kReport, "report", kMaxMessageBytes},
    TypeInfo{MessageType::kPing, "ping", kSmall},
    TypeInfo{MessageType::kPong, "pong", kSmall},
    TypeInfo{MessageType::kRenew, "renew", kCertificates},
    TypeInfo{MessageType::kRenewed, "renewed", kCertificates},
    TypeInfo{MessageType::kLease, "lease", kSmall},
    TypeInfo{MessageType::kLeased, "leased", kMaxMessageBytes},
};

MessageType type_named(std::string_view name) {
  const auto it = std::find_if(kTypes.begin(), kTypes.end(),
                               [&](const TypeInfo& info) { return info.name == name; });
  return it == kTypes.end() ? MessageType::kUnknown : it->type;
}

}  // namespace

std::string ProtocolVersion::str() const {
  return fmt::format("{}.{}", major, minor);
}

std::string_view name_of(MessageType type) {
  const auto it = std::find_if(kTypes.begin(), kTypes.end(),
                               [&](const TypeInfo& info) { return info.type == type; });
  return it == kTypes.end() ? "unknown" : it->name;
}

std::size_t max_bytes(MessageType type) {
  const auto it = std::find_if(kTypes.begin(), kTypes.end(),
                               [&](const TypeInfo& info) { return info.type == type; });
  return it == kTypes.end() ? kMaxMessageBytes : it->max_bytes;
}

Result<Frame> Frame::parse(std::string_view text) {
  auto document = RecordDocument::parse(text);
  if (!document) {
    return tl::unexpected(std::move(document.error()));
  }
  const RecordNode root = document->root();
  const auto type = root.is_object() ? root.member("type") : std::nullopt;
  const auto name = type ? type->as_string() : std::nullopt;
  if (!name || !root.member("body")) {
    return fail(ErrorCode::kInvalid, "not a message with a type and a body");
  }
  const MessageType known = type_named(*name);
  if (text.size() > max_bytes(known)) {
    return fail(ErrorCode::kInvalid, fmt::format("a {} of {} bytes is larger than {} bytes",
                                                 name_of(known), text.size(), max_bytes(known)));
  }
  return Frame(std::move(*document), known);
}

std::string Frame::wrong_type(MessageType expected) const {
  return fmt::format("a {} came in place of a {}", name_of(type_), name_of(expected));
}

Status check_text(std::string_view field, std::string_view text, std::size_t most) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte != 0x7f;
  });
  if (text.size() > most || !plain) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{} is longer than {} bytes or has control characters", field, most));
  }
  return {};
}

}  // namespace hikae::codec::agent
