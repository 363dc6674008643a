#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/store_etcd/messages.h"
#include "control/ports.h"
#include "net/connection.h"
#include "net/http_client.h"

namespace hikae::etcd {

struct EtcdOptions {
  std::vector<net::Peer> endpoints;  // members of one cluster
  net::TlsContext tls;               // null: plain HTTP
  std::string user;                  // empty: no authentication
  std::string password;
  // All keys begin with it; two regions in one etcd have different ones. `/hikae/ap-northeast-1`
  std::string prefix;
};

// A watch under way: one connection that tells changes as they come.
class EtcdWatchStream {
 public:
  explicit EtcdWatchStream(net::HttpClient client) : client_(std::move(client)) {}
  // The next message. kTimeout: none came in time, and the stream is over, as after every error.
  control::Awaitable<Result<WatchAnswer>> next(Duration timeout);
  void close() { client_.close(); }

 private:
  net::HttpClient client_;
  std::string waiting_;
};

// Asks the members of an etcd cluster through the JSON gateway, one after another until one
// answers.
//
// A request may be carried out twice: by a member that was too late to say so, and by the next one.
// So every request must be one that may be repeated; a transaction must compare something that it
// changes, and its caller must recognise its own work when the comparison fails.
//
// Errors: kUnavailable: no member answered and nothing has happened. kTimeout: it may have
// happened, or still happen. kDenied: user, password or permission. kExhausted: a limit of etcd.
// kConflict: the revision asked for is compacted. kNotFound: there is no such lease.
//
// One thread. Several coroutines may ask at the same time.
class EtcdClient {
 public:
  explicit EtcdClient(EtcdOptions options) : options_(std::move(options)) {}

  control::Awaitable<Result<RangeAnswer>> range(RangeRequest request, Duration timeout);
  control::Awaitable<Result<TxnAnswer>> txn(TxnRequest request, Duration timeout);
  control::Awaitable<Result<LeaseAnswer>> grant(std::int64_t ttl_seconds, Duration timeout);
  // ttl_seconds 0 in the answer: the lease is gone.
  control::Awaitable<Result<LeaseAnswer>> keep_alive(std::int64_t lease, Duration timeout);
  control::Awaitable<Status> revoke(std::int64_t lease, Duration timeout);
  // Changes of all keys with the prefix, from that revision of etcd's store on, as the member with
  // that number learns of them.
  control::Awaitable<Result<std::unique_ptr<EtcdWatchStream>>> watch(std::size_t member,
                                                                     std::string prefix,
                                                                     std::uint64_t from);

  // The next request proves again who we are.
  void forget_token();

  std::size_t members() const { return options_.endpoints.size(); }
  const std::string& prefix() const { return options_.prefix; }
  // The members, for messages.
  std::string endpoints() const;

 private:
  struct Call;

  struct Answer {
    std::string body;
    bool repeated = false;  // as TxnAnswer::repeated
  };

  control::Awaitable<Result<Answer>> call(std::string path, std::string body, Duration timeout);
  // Asks one member; true when `call` is over.
  control::Awaitable<bool> attempt(Call& call);
  bool not_asked(Call& call, Error error, bool try_next);
  bool judge(Call& call, const net::Peer& peer, const net::HttpResponse& response);
  control::Awaitable<Result<net::HttpClient>> open(net::Peer peer, Duration timeout);
  // Gets a token where one is needed. kDenied: etcd does not take the password.
  control::Awaitable<Status> authenticate(net::HttpClient& client, Duration timeout);
  std::optional<net::HttpClient> take_idle(const net::Peer& peer);
  void keep_idle(net::HttpClient client);
  net::HttpRequest request(std::string path, std::string body) const;
  const net::Peer& current() const { return options_.endpoints[current_]; }
  void advance() { current_ = (current_ + 1) % options_.endpoints.size(); }

  EtcdOptions options_;
  std::size_t current_ = 0;
  std::vector<net::HttpClient> idle_;
  std::string token_;
  bool open_to_all_ = false;  // etcd has answered that it wants no token
};

}  // namespace hikae::etcd
