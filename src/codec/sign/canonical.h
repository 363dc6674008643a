#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/query/form.h"
#include "codec/sign/signature.h"

namespace hikae::codec {

// The texts that both sides of a signature compute. Total functions: any input gives a text.

// `..`, `.` and empty segments removed, then escaped once more than on the wire (every service but
// S3 does so).
std::string canonical_path(std::string_view path);

// Every parameter decoded and encoded again in the one way of RFC 3986, sorted by name and value.
// Leaves out the parameter `without` (the signature itself).
std::string canonical_query(std::string_view query, std::string_view without);

// Leading and trailing blanks removed, runs of blanks made one space.
std::string trim_all(std::string_view value);

// The text whose hash version 4 signs. `signed_headers` are lower-case names in their order.
std::string canonical_request_v4(const SignatureInput& request,
                                 const std::vector<std::string>& signed_headers,
                                 std::string_view payload_hash, std::string_view without_parameter);

// `timestamp` in the basic form, `scope` = `yyyymmdd/region/service/aws4_request`.
std::string string_to_sign_v4(std::string_view timestamp, std::string_view scope,
                              std::string_view canonical_request);

// Method, host, path and the sorted parameters without Signature and X-Amz-Signature.
std::string string_to_sign_v2(std::string_view method, std::string_view host, std::string_view path,
                              std::span<const Parameter> parameters);

// The value of the first header of that name in any case, or nullptr.
const std::string* find_header(std::span<const Header> headers, std::string_view name);

}  // namespace hikae::codec
