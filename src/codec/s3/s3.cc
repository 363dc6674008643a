#include "codec/s3/s3.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "codec/sign/sign.h"
#include "codec/text/digest.h"
#include "codec/text/encoding.h"

namespace hikae::codec::s3 {
namespace {

constexpr std::size_t kLongestKey = 1024;
constexpr std::size_t kLongestBucket = 255;
constexpr std::size_t kLongestWords = 300;

bool is_part(std::string_view part) {
  return !part.empty() && part != "." && part != ".." && part.find('\0') == std::string_view::npos;
}

std::string raw_path(const Call& call) {
  return call.key.empty() ? "/" + call.bucket : fmt::format("/{}/{}", call.bucket, call.key);
}

struct Entity {
  std::string_view name;
  char meaning;
};
constexpr Entity kEntities[] = {
    {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}, {"&amp;", '&'}};

std::string unescape(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto entity = std::find_if(std::begin(kEntities), std::end(kEntities),
                                     [&](const Entity& one) { return text.starts_with(one.name); });
    const bool found = entity != std::end(kEntities);
    out += found ? entity->meaning : text.front();
    text.remove_prefix(found ? entity->name.size() : 1);
  }
  return out;
}

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto entity = std::find_if(std::begin(kEntities), std::end(kEntities),
                                     [c](const Entity& one) { return one.meaning == c; });
    out += entity == std::end(kEntities) ? std::string(1, c) : std::string(entity->name);
  }
  return out;
}

}  // namespace

bool is_possible_name(std::string_view bucket, std::string_view key) {
  const auto parts = split(key, '/');
  return bucket.size() <= kLongestBucket && key.size() <= kLongestKey && is_part(bucket) &&
         bucket.find('/') == std::string_view::npos && !parts.empty() &&
         std::all_of(parts.begin(), parts.end(), is_part);
}

std::string target_of(const Call& call) {
  std::string out;
  for (const std::string& part : split(raw_path(call).substr(1), '/')) {
    out += '/';
    append_percent_encoded(out, part);
  }
  return call.query.empty() ? out : fmt::format("{}?{}", out, call.query);
}

std::vector<Header> sign(const Call& call, const Account& account, Instant now) {
  std::vector<Header> out = call.headers;
  out.emplace_back("X-Amz-Content-Sha256", sha256_hex(call.body));
  std::vector<Header> with_host = out;
  with_host.emplace_back("Host", account.host);
  // Other services sign the path as it is sent, encoded once more; S3 signs it as it is sent.
  const std::string path = raw_path(call);
  SignRequest request;
  request.method = call.method;
  request.path = path;
  request.query = call.query;
  request.headers = with_host;
  request.body = call.body;
  for (Header& header : sign_v4_header(request, account.credential, account.region, "s3", now)) {
    out.push_back(std::move(header));
  }
  return out;
}

std::optional<std::string> element(std::string_view xml, std::string_view name) {
  const std::string begin = fmt::format("<{}>", name);
  const auto at = xml.find(begin);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view rest = xml.substr(at + begin.size());
  const auto end = rest.find('<');
  if (end == std::string_view::npos || !rest.substr(end).starts_with(fmt::format("</{}>", name))) {
    return std::nullopt;
  }
  return unescape(rest.substr(0, end));
}

std::string error_code(std::string_view xml) {
  return element(xml, "Code").value_or("");
}

std::string error_words(std::string_view xml) {
  const std::string message = element(xml, "Message").value_or("");
  std::string out = message.empty() ? error_code(xml) : error_code(xml) + ": " + message;
  out.resize(std::min(out.size(), kLongestWords));
  std::replace_if(out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

std::string complete_upload(const std::vector<std::string>& tags) {
  std::string out = "<CompleteMultipartUpload>";
  for (std::size_t i = 0; i < tags.size(); ++i) {
    out += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", i + 1,
                       escape(tags[i]));
  }
  return out + "</CompleteMultipartUpload>";
}

}  // namespace hikae::codec::s3
