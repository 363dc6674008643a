#include "adapters/s3_buckets/s3_client.h"

#include <algorithm>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

namespace hikae::s3 {
namespace {

using codec::s3::Call;
using control::Awaitable;
using net::HttpResponse;

constexpr std::size_t kMostErrorBytes = 64 * 1024;
constexpr Duration kConnectTime = std::chrono::seconds(5);
// So soon stop() is seen between two tries.
constexpr Duration kSlice = std::chrono::milliseconds(200);

bool is_success(int status) {
  return status >= 200 && status < 300;
}

Error failure_of(const Call& call, const HttpResponse& answer) {
  const int status = answer.status;
  const std::string code = codec::s3::error_code(answer.body);
  const bool busy = status >= 500 || status == 429 || status == 408;
  const ErrorCode kind = status == 404                    ? ErrorCode::kNotFound
                         : status == 401 || status == 403 ? ErrorCode::kDenied
                         : status == 409 || status == 412 ? ErrorCode::kConflict
                         : busy                           ? ErrorCode::kUnavailable
                                                          : ErrorCode::kInvalid;
  const std::string words = codec::s3::error_words(answer.body);
  return Error{kind,
               fmt::format("{} of {}: S3 answered {}{}", call.method, codec::s3::target_of(call),
                           status, words.empty() ? "" : " (" + words + ")")};
}

// The request may have been carried out; it may be so twice.
bool is_worth_a_try(const Error& error) {
  return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kTimeout;
}

}  // namespace

net::HttpRequest S3Client::request_of(const Call& call) const {
  net::HttpRequest request;
  request.method = call.method;
  request.target = codec::s3::target_of(call);
  request.host = options_.account.host;
  request.headers = codec::s3::sign(call, options_.account, clock_.now());
  request.body = call.body;
  return request;
}

Awaitable<Status> S3Client::open() {
  if (http_ && http_->is_open()) {
    co_return Status();
  }
  net::Peer peer = options_.server;
  net::TlsContext tls = options_.tls;
  auto opened = co_await net::HttpClient::open(std::move(peer), std::move(tls), kConnectTime);
  if (!opened) {
    co_return tl::unexpected(opened.error());
  }
  http_.emplace(std::move(*opened));
  co_return Status();
}

Awaitable<bool> S3Client::try_again(int failures, Error error) {
  http_.reset();
  if (stop_ || failures >= options_.tries || !is_worth_a_try(error)) {
    co_return false;
  }
  const auto executor = co_await boost::asio::this_coro::executor;
  boost::asio::steady_timer timer(executor);
  const auto token = boost::asio::as_tuple(boost::asio::use_awaitable);
  const Monotonic end = clock_.monotonic() + options_.first_pause * (1 << (failures - 1));
  while (!stop_ && clock_.monotonic() < end) {
    timer.expires_after(std::min(kSlice, end - clock_.monotonic()));
    co_await timer.async_wait(token);
  }
  const bool again = !stop_;
  co_return again;
}

Awaitable<Result<HttpResponse>> S3Client::send(Call call) {
  for (int failures = 1;; ++failures) {
    Call same = call;
    auto answer = co_await send_once(std::move(same));
    if (answer) {
      co_return answer;
    }
    const bool again = co_await try_again(failures, answer.error());
    if (!again) {
      co_return answer;
    }
  }
}

Awaitable<Result<HttpResponse>> S3Client::send_once(Call call) {
  const Status ready = co_await open();
  if (!ready) {
    co_return tl::unexpected(ready.error());
  }
  net::HttpRequest request = request_of(call);
  auto answer = co_await http_->send(std::move(request), options_.patience);
  // CompleteMultipartUpload may answer 200 and a failure.
  const bool failed =
      answer && (!is_success(answer->status) ||
                 (call.method == "POST" && answer->body.find("<Error>") != std::string::npos));
  if (failed) {
    Error error = failure_of(call, *answer);
    error.code = is_success(answer->status) ? ErrorCode::kUnavailable : error.code;
    co_return tl::unexpected(std::move(error));
  }
  co_return answer;
}

Awaitable<Status> S3Client::fetch(Call call, Begin begin, Sink sink) {
  for (int failures = 1;; ++failures) {
    Call same = call;
    Begin first = begin;
    Sink then = sink;
    Status fetched = co_await fetch_once(std::move(same), std::move(first), std::move(then));
    if (fetched) {
      co_return fetched;
    }
    const bool again = co_await try_again(failures, fetched.error());
    if (!again) {
      co_return fetched;
    }
  }
}

Awaitable<Status> S3Client::fetch_once(Call call, Begin begin, Sink sink) {
  const Status ready = co_await open();
  if (!ready) {
    co_return ready;
  }
  net::HttpRequest request = request_of(call);
  auto head = co_await http_->begin(std::move(request), options_.patience);
  if (!head) {
    co_return tl::unexpected(head.error());
  }
  const bool success = is_success(head->status);
  Status taken = success ? begin() : Status();
  std::string piece = std::move(head->body);
  head->body.clear();
  for (;;) {
    if (stop_) {
      co_return fail(ErrorCode::kUnavailable, "the program ends");
    }
    if (success && taken) {
      taken = sink(piece);
    } else if (head->body.size() < kMostErrorBytes) {
      head->body += piece;
    }
    if (!taken) {
      http_->close();
      co_return taken;
    }
    auto more = co_await http_->more(options_.patience);
    if (!more && more.error().code == ErrorCode::kNotFound) {
      break;
    }
    if (!more) {
      co_return tl::unexpected(more.error());
    }
    piece = std::move(*more);
  }
  co_return success ? Status() : Status(tl::unexpected(failure_of(call, *head)));
}

}  // namespace hikae::s3
