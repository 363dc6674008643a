#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/result.h"
#include "base/time.h"
#include "net/connection.h"

namespace hikae::net {

struct HttpRequest {
  std::string method = "POST";
  std::string target = "/";
  std::string host;  // of the Host header; empty: the peer with its port
  // Without Host and Content-Length, which are the client's.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // The first of that name in any case; empty: there is none.
  std::string header(std::string_view name) const;
};

inline constexpr std::size_t kMaxResponseHeaderBytes = 64 * 1024;
inline constexpr std::size_t kMaxResponseBytes = 64 * 1024 * 1024;

// One HTTP/1.1 connection: requests one after another, by one coroutine at a time. It is closed by
// every error and by the answer of a server that wants it closed; then open a new one.
class HttpClient {
 public:
  // As Connection::open().
  static boost::asio::awaitable<Result<HttpClient>> open(Peer peer, TlsContext tls,
                                                         Duration timeout);
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;

  // The whole answer, whatever its status. kTimeout: the request was sent and may have been carried
  // out, though no answer came in time or the connection broke. kUnavailable: it was not sent
  // whole. kExhausted: the answer is larger than kMaxResponseBytes. kInvalid: it is not HTTP.
  boost::asio::awaitable<Result<HttpResponse>> send(HttpRequest request, Duration timeout);

  // For answers that go on. begin() sends and reads the head: the answer has its status, and a body
  // only if the answer ends with it. more() then answers what has come of the body since, at least
  // a byte; kNotFound: the body has ended; kTimeout: nothing came, and the connection is closed.
  boost::asio::awaitable<Result<HttpResponse>> begin(HttpRequest request, Duration timeout);
  boost::asio::awaitable<Result<std::string>> more(Duration timeout);

  // Ends whatever waits on it.
  void close();
  bool is_open() const;
  const Peer& peer() const;

 private:
  class Impl;
  explicit HttpClient(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace hikae::net
