// parse_store() of config.h.
#include <algorithm>

#include <fmt/format.h>

#include "app/config.h"
#include "base/strings.h"

namespace hikae::app {
namespace {

constexpr std::size_t kMaxEndpoints = 16;
constexpr std::size_t kMaxPrefixLength = 128;
constexpr std::string_view kForm = "etcd://HOST:PORT[,HOST:PORT...][/PREFIX]";

tl::unexpected<Error> bad(std::string_view url, std::string_view why) {
  return fail(
      ErrorCode::kInvalid,
      fmt::format("store \"{}\" {}; it is written {}, or etcds:// for TLS", url, why, kForm));
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == ':';
}

// `host:port` or `[address]:port`.
std::optional<net::Peer> parse_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
  }
  const auto port = parse_integer(text.substr(colon + 1));
  const bool has_colon = host.find(':') != std::string_view::npos;
  if (host.empty() || has_colon != bracketed || !port || *port < 1 || *port > 65535 ||
      !std::all_of(host.begin(), host.end(), is_host_character)) {
    return std::nullopt;
  }
  return net::Peer{std::string(host), std::uint16_t(*port)};
}

}  // namespace

Result<EtcdConfig> parse_store(std::string_view url, const std::string& region) {
  EtcdConfig config;
  std::string_view rest;
  if (url.starts_with("etcd://")) {
    rest = url.substr(7);
  } else if (url.starts_with("etcds://")) {
    rest = url.substr(8);
    config.tls = true;
  } else {
    return bad(url, "is of an unknown kind");
  }
  if (rest.find('@') != std::string_view::npos) {
    // Not shown: it may hold a password.
    return fail(ErrorCode::kInvalid,
                "store must not hold a user or a password; give --etcd-user and "
                "--etcd-password-file or $HIKAE_ETCD_PASSWORD");
  }
  const auto slash = rest.find('/');
  config.prefix = slash == std::string_view::npos ? "" : std::string(rest.substr(slash));
  while (config.prefix.ends_with('/')) {
    config.prefix.pop_back();
  }
  if (config.prefix.size() > kMaxPrefixLength) {
    return bad(url, fmt::format("has a prefix of more than {} characters", kMaxPrefixLength));
  }
  if (config.prefix.empty()) {
    config.prefix = "/hikae/" + region;
  }
  for (const std::string& text : split(rest.substr(0, slash), ',')) {
    auto endpoint = parse_endpoint(text);
    if (!endpoint) {
      return bad(url, fmt::format("names the endpoint \"{}\"", text));
    }
    config.endpoints.push_back(std::move(*endpoint));
  }
  if (config.endpoints.size() > kMaxEndpoints) {
    return bad(url, fmt::format("names more than {} endpoints", kMaxEndpoints));
  }
  return config;
}

}  // namespace hikae::app
