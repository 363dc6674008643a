// The RESP reader with any bytes: safe, within its limits, and independent of how the stream is
// cut.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "codec/resp/info.h"
#include "codec/resp/parser.h"

namespace {

using hikae::codec::resp::Limits;
using hikae::codec::resp::Parser;
using hikae::codec::resp::Value;

Limits small_limits() {
  Limits limits;
  limits.depth = 4;
  limits.line_bytes = 256;
  limits.bulk_bytes = 4096;
  limits.elements = 64;
  limits.reply_bytes = 8192;
  return limits;
}

struct Outcome {
  std::vector<Value> replies;
  bool failed = false;
};

std::size_t depth_of(const Value& value) {
  std::size_t deepest = 0;
  for (const Value& item : value.items) {
    deepest = std::max(deepest, depth_of(item));
  }
  return value.is_aggregate() ? deepest + 1 : 0;
}

Outcome parse(std::string_view bytes, std::size_t piece) {
  Parser parser(small_limits());
  Outcome outcome;
  while (!bytes.empty() && !outcome.failed) {
    parser.feed(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    while (true) {
      auto next = parser.next();
      if (!next) {
        outcome.failed = true;
        break;
      }
      if (!*next) {
        break;
      }
      outcome.replies.push_back(std::move(**next));
    }
  }
  return outcome;
}

// Doubles may be NaN, which equals nothing; so numbers are left out of the comparison.
bool same(const Value& a, const Value& b) {
  return a.type == b.type && a.text == b.text && a.integer == b.integer &&
         std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), same);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Outcome whole = parse(bytes, size == 0 ? 1 : size);
  const Outcome pieces = parse(bytes, 3);
  HIKAE_CHECK(whole.failed == pieces.failed);
  HIKAE_CHECK(std::equal(whole.replies.begin(), whole.replies.end(), pieces.replies.begin(),
                         pieces.replies.end(), same));
  for (const Value& reply : whole.replies) {
    HIKAE_CHECK(depth_of(reply) <= small_limits().depth + 1);
    (void)hikae::codec::resp::parse_role(reply);
  }
  (void)hikae::codec::resp::Info::parse(bytes).integer("role");
  return 0;
}
