// Signatures: an HTTP-like text is read as request line, headers and body, and verified. What we
// sign ourselves over the same parts must verify.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "codec/sign/sign.h"
#include "codec/sign/signature.h"

using namespace hikae;
using namespace hikae::codec;

namespace {

struct Wire {
  std::string method, path, query, body;
  std::vector<Header> headers;
};

std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

// `METHOD path[?query]`, header lines, an empty line, the body.
Wire read_wire(std::string_view text) {
  Wire wire;
  const std::string_view line = take_line(text);
  const auto space = std::min(line.find(' '), line.size());
  const std::string_view target = line.substr(std::min(space + 1, line.size()));
  const auto mark = std::min(target.find('?'), target.size());
  wire.method = line.substr(0, space);
  wire.path = target.substr(0, mark);
  wire.query = target.substr(std::min(mark + 1, target.size()));
  while (!text.empty()) {
    const std::string_view header = take_line(text);
    if (header.empty()) {
      break;
    }
    const auto colon = std::min(header.find(':'), header.size());
    wire.headers.emplace_back(header.substr(0, colon),
                              header.substr(std::min(colon + 1, header.size())));
  }
  wire.body = text;
  return wire;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Credential credential{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", {}};
  const Instant now = *parse_iso8601("2015-08-30T12:36:00Z");
  Wire wire = read_wire(std::string_view(reinterpret_cast<const char*>(data), size));
  SigningKeyCache cache;
  const auto verify = [&] {
    return verify_signature(SignatureInput{
        .method = wire.method,
        .path = wire.path,
        .query = wire.query,
        .headers = wire.headers,
        .body = wire.body,
        .now = now,
        .lookup = [](std::string_view id) { return id == "AKIDEXAMPLE" ? &credential : nullptr; },
        .key_cache = &cache});
  };
  if (const auto verified = verify(); verified) {
    HIKAE_CHECK(verified->access_key_id == "AKIDEXAMPLE");
  }
  // Without the parts that belong to a signature, ours must be accepted.
  wire.headers = {{"Host", "localhost:4566"}};
  const SignRequest request{wire.method, wire.path, wire.query, wire.headers, wire.body};
  for (auto& header : sign_v4_header(request, credential, "us-east-1", "elasticache", now)) {
    wire.headers.push_back(std::move(header));
  }
  HIKAE_CHECK(verify().has_value());
  return 0;
}
