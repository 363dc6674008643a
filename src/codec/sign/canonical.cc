#include "codec/sign/canonical.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "codec/text/digest.h"
#include "codec/text/encoding.h"

namespace hikae::codec {
namespace {

using Pair = std::pair<std::string, std::string>;

std::string join_sorted(std::vector<Pair> pairs) {
  std::sort(pairs.begin(), pairs.end());
  std::string out;
  for (const auto& [name, value] : pairs) {
    if (!out.empty()) {
      out += '&';
    }
    out += name;
    out += '=';
    out += value;
  }
  return out;
}

// A text with a malformed escape is taken as it stands: some signature results, and is compared.
std::string reencode(std::string_view raw) {
  const auto decoded = percent_decode(raw, Plus::kIsSpace);
  return percent_encode(decoded ? std::string_view(*decoded) : raw);
}

bool is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

}  // namespace

std::string canonical_path(std::string_view path) {
  std::vector<std::string_view> segments;
  std::string_view rest = path;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('/'), rest.size());
    const std::string_view segment = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (segment == "..") {
      if (!segments.empty()) {
        segments.pop_back();
      }
    } else if (!segment.empty() && segment != ".") {
      segments.push_back(segment);
    }
  }
  std::string out;
  for (const std::string_view segment : segments) {
    out += '/';
    append_percent_encoded(out, segment);
  }
  if (out.empty() || path.back() == '/') {
    out += '/';
  }
  return out;
}

std::string canonical_query(std::string_view query, std::string_view without) {
  std::vector<Pair> pairs;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const std::string_view piece = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (piece.empty()) {
      continue;
    }
    const auto equals = std::min(piece.find('='), piece.size());
    std::string name = reencode(piece.substr(0, equals));
    if (without.empty() || name != without) {
      pairs.emplace_back(std::move(name),
                         reencode(piece.substr(std::min(equals + 1, piece.size()))));
    }
  }
  return join_sorted(std::move(pairs));
}

std::string trim_all(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (!is_blank(c)) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  if (!out.empty() && out.back() == ' ') {
    out.pop_back();
  }
  return out;
}

std::string canonical_request_v4(const SignatureInput& request,
                                 const std::vector<std::string>& signed_headers,
                                 std::string_view payload_hash,
                                 std::string_view without_parameter) {
  std::string out(request.method);
  out += '\n';
  out += canonical_path(request.path);
  out += '\n';
  out += canonical_query(request.query, without_parameter);
  out += '\n';
  for (const std::string& name : signed_headers) {
    out += name;
    out += ':';
    bool first = true;
    for (const auto& [header, value] : request.headers) {
      if (equals_ignoring_case(header, name)) {
        out += first ? "" : ",";
        out += trim_all(value);
        first = false;
      }
    }
    out += '\n';
  }
  out += '\n';
  out += join(signed_headers, ";");
  out += '\n';
  out += payload_hash;
  return out;
}

std::string string_to_sign_v4(std::string_view timestamp, std::string_view scope,
                              std::string_view canonical_request) {
  return fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", timestamp, scope,
                     sha256_hex(canonical_request));
}

std::string string_to_sign_v2(std::string_view method, std::string_view host, std::string_view path,
                              std::span<const Parameter> parameters) {
  // Sorted by the bytes of the names, which is not the order of the encoded names.
  std::vector<const Parameter*> sorted;
  for (const Parameter& parameter : parameters) {
    if (parameter.name != "Signature" && parameter.name != "X-Amz-Signature") {
      sorted.push_back(&parameter);
    }
  }
  std::sort(sorted.begin(), sorted.end(), [](const Parameter* a, const Parameter* b) {
    const int order = a->name.compare(b->name);
    return order != 0 ? order < 0 : a < b;  // all parameters stand in one array
  });
  std::string out = fmt::format("{}\n{}\n{}\n", method, to_lower(host), path.empty() ? "/" : path);
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    out += i > 0 ? "&" : "";
    append_percent_encoded(out, sorted[i]->name);
    out += '=';
    append_percent_encoded(out, sorted[i]->value);
  }
  return out;
}

const std::string* find_header(std::span<const Header> headers, std::string_view name) {
  for (const auto& [header, value] : headers) {
    if (equals_ignoring_case(header, name)) {
      return &value;
    }
  }
  return nullptr;
}

}  // namespace hikae::codec
