#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "api/action_table.h"
#include "api/answer.h"
#include "api/credentials.h"
#include "api/http_message.h"
#include "base/random.h"
#include "base/time.h"
#include "codec/query/form.h"
#include "codec/sign/signing_key_cache.h"

namespace hikae::api {

// From one HTTP request to one HTTP response: finds the service, checks the signature, finds the
// action, runs it, and puts the outcome into the shape of the service's protocol. Every request
// gets an answer; an exception from below becomes InternalFailure and one line in the log.
//
// One thread. Requests may overlap; the dispatcher keeps nothing of one request for the next except
// derived signing keys. It must outlive every handle() that has begun.
class Dispatcher {
 public:
  struct Options {
    std::string region;
    bool any_region = false;  // accept credentials scoped to other regions
    Quotas quotas;
    SnapshotAccess snapshots;
  };
  using Now = std::function<Instant()>;
  using Logger = std::function<void(std::string_view line)>;

  // `tables`: the services served, the default one first. `frontend` is handed to the handlers.
  Dispatcher(std::vector<const ServiceTable*> tables, control::Frontend* frontend,
             const Credentials& credentials, Random& random, Now now, Logger log, Options options);

  boost::asio::awaitable<HttpResponse> handle(HttpRequest request);

 private:
  // One request on its way.
  struct Call {
    HttpRequest request;
    std::string_view path;
    std::string_view query;  // both into request.target
    codec::Form form;        // the parameters of the query, then those of the body
    AnswerForm answer;
    std::string action;
    Caller caller;
  };

  ApiResult<void> open(Call& call);
  ApiResult<void> authenticate(Call& call);
  const ServiceTable& choose_service(const Call& call) const;
  ApiResult<const Action*> choose_action(const Call& call) const;
  // `call` stays alive in the coroutine that waits for this one.
  boost::asio::awaitable<HttpResponse> run(Call& call);

  std::vector<const ServiceTable*> tables_;
  control::Frontend* frontend_;
  const Credentials& credentials_;
  Random& random_;
  Now now_;
  Logger log_;
  Options options_;
  codec::SigningKeyCache signing_keys_;
};

}  // namespace hikae::api
