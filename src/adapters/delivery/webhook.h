#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "control/outbox.h"
#include "net/http_client.h"

namespace hikae::adapters {

// `http://host[:port][/path]` or `https://`, taken apart. The path begins with `/` and may have a
// query. kInvalid says what is wrong; user names and fragments are refused.
struct WebhookUrl {
  net::Peer peer;
  std::string target;
  bool tls = false;
  static Result<WebhookUrl> parse(std::string_view text);
};

// Posts each message as JSON, on a connection of its own. Success is an answer of 2xx.
class Webhook final : public control::MessageSink {
 public:
  // kInvalid: the URL, or the system's trusted certificates cannot be loaded.
  static Result<Webhook> open(std::string_view url);

  // kTimeout, kUnavailable, kDenied as net::HttpClient; kInvalid: it answered something else than
  // 2xx.
  control::Awaitable<Status> deliver(std::string message) override;
  // Without the query, which may hold a key.
  std::string place() const override;

 private:
  Webhook(WebhookUrl url, net::TlsContext tls) : url_(std::move(url)), tls_(std::move(tls)) {}
  WebhookUrl url_;
  net::TlsContext tls_;
};

}  // namespace hikae::adapters
