#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/sign/signature.h"

namespace hikae::codec::s3 {

// The protocol of S3, as far as objects are put and fetched: path-style addresses, version 4 of the
// signature over the whole request.

// Who asks, and whom.
struct Account {
  std::string host;    // the Host header: with the port, unless it is the protocol's own
  std::string region;  // of the signature
  Credential credential;
};

struct Call {
  std::string method = "GET";
  std::string bucket;
  std::string key;    // empty: the bucket itself
  std::string query;  // `uploads=`, names and values percent-encoded
  std::vector<Header> headers;
  std::string body;
};

// A name of AWS's form for buckets, as far as that matters in a path. A key must have no part that
// is empty, `.` or `..`: servers and signatures differ in what becomes of those.
bool is_possible_name(std::string_view bucket, std::string_view key);

// `/bucket/some/key?query`, percent-encoded.
std::string target_of(const Call& call);

// The call's headers with those of the signature, without Host.
std::vector<Header> sign(const Call& call, const Account& account, Instant now);

// The content of the first element of that name that has no elements in it, decoded; nullopt: there
// is none. For the short answers of S3 alone.
std::optional<std::string> element(std::string_view xml, std::string_view name);

// `NoSuchKey`, and what S3 says beside it, in one printable line; empty when the body says nothing.
std::string error_code(std::string_view xml);
std::string error_words(std::string_view xml);

// The body of CompleteMultipartUpload: the tags of parts 1, 2, ...
std::string complete_upload(const std::vector<std::string>& tags);

}  // namespace hikae::codec::s3
