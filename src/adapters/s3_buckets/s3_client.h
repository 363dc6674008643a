#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include "codec/s3/s3.h"
#include "control/ports.h"
#include "net/http_client.h"

namespace hikae::s3 {

// Where an S3-compatible server is, and who we are there.
struct S3Options {
  net::Peer server;
  net::TlsContext tls;  // nullptr: without TLS
  codec::s3::Account account;
  // A failed request is tried so often in all, with twice the pause before each try.
  int tries = 4;
  Duration first_pause = std::chrono::milliseconds(250);
  // For every answer, or piece of one.
  Duration patience = std::chrono::seconds(60);
};

// Requests to one server, one after another, over a connection that is kept. What the server could
// not do just now (5xx, 429, a broken connection) is asked again: all that is asked may be done
// twice. Belongs to one coroutine.
class S3Client {
 public:
  // All of them must outlive it. Once `stop` is set nothing is tried again.
  S3Client(const S3Options& options, const control::Clock& clock, const std::atomic<bool>& stop)
      : options_(options), clock_(clock), stop_(stop) {}

  // The answer, when it is a success. kNotFound: no such bucket or object; kDenied; kConflict:
  // there is one already (409, 412); kUnavailable: the server does not answer, or cannot now.
  control::Awaitable<Result<net::HttpResponse>> send(codec::s3::Call call);

  // The same, with the body of a success given to `sink` piece by piece; before each try `begin` is
  // called. A failure of either ends it.
  using Begin = std::function<Status()>;
  using Sink = std::function<Status(std::string_view)>;
  control::Awaitable<Status> fetch(codec::s3::Call call, Begin begin, Sink sink);

  // What is under way fails, and with `stop` set it is not tried again.
  void close() {
    if (http_) {
      http_->close();
    }
  }

 private:
  control::Awaitable<Result<net::HttpResponse>> send_once(codec::s3::Call call);
  control::Awaitable<Status> fetch_once(codec::s3::Call call, Begin begin, Sink sink);
  control::Awaitable<Status> open();
  net::HttpRequest request_of(const codec::s3::Call& call) const;
  // Waits before the next try; false: there is none.
  control::Awaitable<bool> try_again(int failures, Error error);

  const S3Options& options_;
  const control::Clock& clock_;
  const std::atomic<bool>& stop_;
  std::optional<net::HttpClient> http_;
};

}  // namespace hikae::s3
