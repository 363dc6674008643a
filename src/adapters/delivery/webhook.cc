#include "adapters/delivery/webhook.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "base/strings.h"

namespace hikae::adapters {
namespace {

constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;
// Whoever takes longer gets the message again.
constexpr Duration kConnectTimeout = std::chrono::seconds(3);
constexpr Duration kAnswerTimeout = std::chrono::seconds(5);
constexpr std::size_t kMostUrlBytes = 2048;

tl::unexpected<Error> wrong(std::string_view text, std::string_view why) {
  return fail(ErrorCode::kInvalid, fmt::format("'{}' is no webhook: {}", text, why));
}

bool is_printable(std::string_view text) {
  for (const char c : text) {
    if (c <= ' ' || c > '~') {
      return false;
    }
  }
  return true;
}

}  // namespace

Result<WebhookUrl> WebhookUrl::parse(std::string_view text) {
  WebhookUrl url;
  url.tls = text.starts_with("https://");
  if (!url.tls && !text.starts_with("http://")) {
    return wrong(text, "it has to begin with http:// or https://");
  }
  if (text.size() > kMostUrlBytes || !is_printable(text) ||
      text.find_first_of("@#\"<>\\^`{|}") != std::string_view::npos) {
    return wrong(text, "it has characters that are not allowed, or too many");
  }
  const std::string_view rest = text.substr(text.find("//") + 2);
  const std::size_t path = std::min(rest.find_first_of("/?"), rest.size());
  url.target = rest.substr(path);
  if (!url.target.starts_with('/')) {
    url.target.insert(0, "/");
  }
  std::string_view host = rest.substr(0, path);
  url.peer.port = url.tls ? kHttpsPort : kHttpPort;
  const std::size_t colon = host.rfind(':');
  if (colon != std::string_view::npos && host.back() != ']') {
    const auto port = parse_integer(host.substr(colon + 1));
    if (!port || *port < 1 || *port > 65535) {
      return wrong(text, "its port is not a number from 1 to 65535");
    }
    url.peer.port = std::uint16_t(*port);
    host = host.substr(0, colon);
  }
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  if (host.empty()) {
    return wrong(text, "it names no host");
  }
  url.peer.host = host;
  return url;
}

Result<Webhook> Webhook::open(std::string_view text) {
  auto url = WebhookUrl::parse(text);
  if (!url) {
    return tl::unexpected(url.error());
  }
  net::TlsContext tls;
  if (url->tls) {
    auto loaded = net::load_tls({});
    if (!loaded) {
      return tl::unexpected(loaded.error());
    }
    tls = std::move(*loaded);
  }
  return Webhook(std::move(*url), std::move(tls));
}

control::Awaitable<Status> Webhook::deliver(std::string message) {
  auto client = co_await net::HttpClient::open(url_.peer, tls_, kConnectTimeout);
  if (!client) {
    co_return tl::unexpected(client.error());
  }
  net::HttpRequest request;
  request.target = url_.target;
  request.headers.emplace_back("Content-Type", "application/json");
  request.headers.emplace_back("User-Agent", "hikae");
  request.headers.emplace_back("Connection", "close");
  request.body = std::move(message);
  const auto response = co_await client->send(std::move(request), kAnswerTimeout);
  if (!response) {
    co_return tl::unexpected(response.error());
  }
  if (response->status < 200 || response->status > 299) {
    co_return fail(ErrorCode::kInvalid, fmt::format("{} answered {}", place(), response->status));
  }
  co_return Status();
}

std::string Webhook::place() const {
  return fmt::format("{}://{}{}", url_.tls ? "https" : "http", url_.peer.str(),
                     url_.target.substr(0, url_.target.find('?')));
}

}  // namespace hikae::adapters
