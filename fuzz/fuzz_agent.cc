// Messages between servers and agents, with any bytes: safe, within their limits, and what was read
// can be written and read again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "codec/agent/join_token.h"
#include "codec/agent/messages.h"

namespace {

using namespace hikae::codec::agent;

template <class T>
void read(const Frame& frame) {
  const auto message = frame.body<T>();
  if (!message) {
    return;
  }
  HIKAE_CHECK(frame.type() == T::kType);
  const auto text = encode(*message);
  const auto again = Frame::parse(text);
  // Escapes may make the text longer than its limit; else it says the same.
  if (again) {
    const auto same = again->template body<T>();
    HIKAE_CHECK(same && encode(*same) == text);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto frame = Frame::parse(bytes)) {
    HIKAE_CHECK(size <= max_bytes(frame->type()));
    read<Hello>(*frame);
    read<Welcome>(*frame);
    read<Join>(*frame);
    read<Joined>(*frame);
    read<Refusal>(*frame);
    read<Ping>(*frame);
    read<Pong>(*frame);
    read<Renew>(*frame);
    read<Renewed>(*frame);
  }
  if (const auto token = JoinTokenText::parse(bytes)) {
    HIKAE_CHECK(JoinTokenText::parse(token->str()) == token);
  }
  return 0;
}
