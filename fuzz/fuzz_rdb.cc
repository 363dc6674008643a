// The RDB verifier with any bytes: safe, and independent of how the file is cut into pieces.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "codec/rdb/verifier.h"

namespace {

using hikae::codec::rdb::Verifier;

auto verify(std::string_view bytes, std::size_t piece) {
  Verifier verifier;
  while (!bytes.empty()) {
    verifier.feed(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  return verifier.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = verify(bytes, size == 0 ? 1 : size);
  const auto pieces = verify(bytes, 3);
  HIKAE_CHECK(whole.has_value() == pieces.has_value());
  if (whole) {
    HIKAE_CHECK(*whole == *pieces);
    HIKAE_CHECK(whole->bytes == size);
  }
  return 0;
}
