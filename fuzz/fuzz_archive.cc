// A region's export with any rows: safe, and what is accepted can be written and read again. The
// end with its digest is put behind the input, because hardly any bytes would get past it.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "codec/text/digest.h"
#include "storage/archive.h"

using namespace hikae;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  (void)storage::read_archive(input);
  const std::string ended = input + "{\"sha256\":\"" + codec::sha256_hex(input) + "\"}\n";
  const auto archive = storage::read_archive(ended);
  if (archive) {
    const std::string written = storage::write_archive(*archive);
    const auto again = storage::read_archive(written);
    HIKAE_CHECK(again.has_value());
    HIKAE_CHECK(storage::write_archive(*again) == written);
  }
  return 0;
}
