#include "codec/sign/sign.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "codec/sign/canonical.h"
#include "codec/text/digest.h"
#include "codec/text/encoding.h"

namespace hikae::codec {
namespace {

SignatureInput as_input(const SignRequest& request, std::string_view query,
                        std::span<const Header> headers) {
  return SignatureInput{.method = request.method,
                        .path = request.path,
                        .query = query,
                        .headers = headers,
                        .body = request.body};
}

std::string scope_text(std::string_view timestamp, std::string_view region,
                       std::string_view service) {
  return fmt::format("{}/{}/{}/aws4_request", timestamp.substr(0, 8), region, service);
}

std::string signature_v4(const SignatureInput& input, const std::vector<std::string>& names,
                         std::string_view payload_hash, const Credential& credential,
                         std::string_view timestamp, std::string_view region,
                         std::string_view service) {
  const std::string text = string_to_sign_v4(timestamp, scope_text(timestamp, region, service),
                                             canonical_request_v4(input, names, payload_hash, ""));
  const std::string key =
      derive_signing_key(credential.secret, timestamp.substr(0, 8), region, service);
  return hex_encode(hmac_sha256(key, text));
}

std::string encode_form(const std::vector<Parameter>& parameters) {
  std::string out;
  for (const Parameter& parameter : parameters) {
    out += out.empty() ? "" : "&";
    append_percent_encoded(out, parameter.name);
    out += '=';
    append_percent_encoded(out, parameter.value);
  }
  return out;
}

}  // namespace

std::vector<Header> sign_v4_header(const SignRequest& request, const Credential& credential,
                                   std::string_view region, std::string_view service, Instant now) {
  const std::string timestamp = to_basic_iso8601(now);
  std::vector<Header> added = {{"X-Amz-Date", timestamp}};
  if (credential.session_token) {
    added.emplace_back("X-Amz-Security-Token", *credential.session_token);
  }
  std::vector<Header> headers(request.headers.begin(), request.headers.end());
  headers.insert(headers.end(), added.begin(), added.end());

  std::vector<std::string> names;
  for (const auto& [name, value] : headers) {
    names.push_back(to_lower(name));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());

  const std::string* sent_hash = find_header(headers, "x-amz-content-sha256");
  const std::string signature =
      signature_v4(as_input(request, request.query, headers), names,
                   sent_hash != nullptr ? *sent_hash : sha256_hex(request.body), credential,
                   timestamp, region, service);
  added.emplace_back(
      "Authorization",
      fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
                  credential.access_key_id, scope_text(timestamp, region, service),
                  join(names, ";"), signature));
  return added;
}

std::string presign_v4(const SignRequest& request, const Credential& credential,
                       std::string_view region, std::string_view service, Instant now,
                       std::int64_t expires_seconds) {
  const std::string timestamp = to_basic_iso8601(now);
  std::vector<Parameter> added = {
      {"X-Amz-Algorithm", "AWS4-HMAC-SHA256"},
      {"X-Amz-Credential", credential.access_key_id + "/" + scope_text(timestamp, region, service)},
      {"X-Amz-Date", timestamp},
      {"X-Amz-Expires", fmt::format("{}", expires_seconds)},
      {"X-Amz-SignedHeaders", "host"}};
  if (credential.session_token) {
    added.push_back({"X-Amz-Security-Token", *credential.session_token});
  }
  std::string query(request.query);
  query += query.empty() ? "" : "&";
  query += encode_form(added);
  const std::string signature =
      signature_v4(as_input(request, query, request.headers), {"host"}, sha256_hex(request.body),
                   credential, timestamp, region, service);
  return query + "&X-Amz-Signature=" + signature;
}

std::string sign_v2(std::string_view method, std::string_view host, std::string_view path,
                    std::vector<Parameter> parameters, const Credential& credential, Instant now,
                    const V2Options& options) {
  // Whole seconds without a fraction: the form that clients of version 2 send.
  const auto seconds_only = [](Instant t) { return to_iso8601(t).substr(0, 19) + "Z"; };
  if (options.credential_scope.empty()) {
    parameters.push_back({"AWSAccessKeyId", credential.access_key_id});
  } else {
    parameters.push_back({"X-Amz-Credential", fmt::format("{}/{}", credential.access_key_id,
                                                          options.credential_scope)});
  }
  parameters.push_back({"SignatureVersion", "2"});
  parameters.push_back({"SignatureMethod", std::string(options.signature_method)});
  if (options.expires) {
    parameters.push_back({"Expires", seconds_only(*options.expires)});
  } else {
    parameters.push_back({"Timestamp", seconds_only(now)});
  }
  if (credential.session_token) {
    parameters.push_back({"SecurityToken", *credential.session_token});
  }
  const std::string text = string_to_sign_v2(method, host, path, parameters);
  const std::string mac = options.signature_method == "HmacSHA1"
                              ? hmac_sha1(credential.secret, text)
                              : hmac_sha256(credential.secret, text);
  parameters.push_back({"Signature", base64_encode(mac)});
  return encode_form(parameters);
}

}  // namespace hikae::codec
