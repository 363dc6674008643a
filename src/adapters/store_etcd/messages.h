#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

// The messages of etcd's JSON gateway (etcd API reference, etcdserverpb and mvccpb) that are needed
// here: requests as JSON text, answers read from it. Keys and values are bytes, in base64 on the
// wire; 64-bit numbers are strings there, and zeros and false are left out. Pure.

namespace hikae::etcd {

struct KeyValue {
  std::string key;
  std::string value;
  std::uint64_t create_revision = 0;
  std::uint64_t mod_revision = 0;
};

struct RangeRequest {
  std::string key;
  std::string range_end;       // empty: the one key
  std::uint64_t revision = 0;  // of etcd's store; 0: the newest
  std::uint64_t limit = 0;     // 0: none
};

struct RangeAnswer {
  std::uint64_t revision = 0;  // of etcd's store when it answered
  std::vector<KeyValue> pairs;
  bool more = false;  // there are more than the limit
};

struct Compare {
  enum class What { kModRevision, kCreateRevision };  // 0: there is no such key
  What what = What::kModRevision;
  std::string key;
  std::uint64_t equals = 0;
};

struct Operation {
  enum class What { kPut, kDelete, kRange };
  What what = What::kPut;
  std::string key;
  std::string value;
  std::string range_end;  // kDelete
  std::int64_t lease = 0;

  static Operation put(std::string key, std::string value);
  static Operation get(std::string key);
  // All keys from `key` to before `range_end`; without it the one key.
  static Operation remove(std::string key, std::string range_end = "");
};

// All of `success` when every comparison holds, else all of `failure`.
struct TxnRequest {
  std::vector<Compare> compare;
  std::vector<Operation> success;
  std::vector<Operation> failure;
};

struct TxnAnswer {
  std::uint64_t revision = 0;
  bool succeeded = false;
  std::vector<KeyValue> pairs;  // of all kRange operations together
  // This is the answer to a second attempt, and the first may have been carried out before.
  bool repeated = false;
};

struct LeaseAnswer {
  std::int64_t id = 0;
  std::int64_t ttl_seconds = 0;  // 0: the lease is gone
};

struct WatchEvent {
  KeyValue pair;
  bool removed = false;
};

struct WatchAnswer {
  std::uint64_t revision = 0;
  bool created = false;
  bool cancelled = false;
  std::uint64_t compact_revision = 0;  // not 0: what was asked for is compacted away
  std::string reason;                  // why it was cancelled
  std::vector<WatchEvent> events;
};

// An answer that says no. The codes are gRPC's.
struct Refusal {
  static constexpr int kInvalidArgument = 3;
  static constexpr int kDeadlineExceeded = 4;
  static constexpr int kNotFound = 5;
  static constexpr int kPermissionDenied = 7;
  static constexpr int kResourceExhausted = 8;
  static constexpr int kFailedPrecondition = 9;
  static constexpr int kOutOfRange = 11;
  static constexpr int kUnavailable = 14;
  static constexpr int kUnauthenticated = 16;
  int code = 0;
  std::string message;
};

// The end of the range of all keys that begin with `prefix`, which must not be empty.
std::string end_of_prefix(std::string prefix);

std::string to_json(const RangeRequest& request);
std::string to_json(const TxnRequest& request);
std::string grant_json(std::int64_t ttl_seconds);
std::string lease_json(std::int64_t id);
std::string authenticate_json(std::string_view user, std::string_view password);
// Every change of the range from that revision of etcd's store on.
std::string watch_json(std::string_view key, std::string_view range_end, std::uint64_t revision);

// kInternal: not an answer of that kind.
Result<RangeAnswer> read_range(std::string_view json);
Result<TxnAnswer> read_txn(std::string_view json);
Result<LeaseAnswer> read_grant(std::string_view json);
Result<LeaseAnswer> read_keep_alive(std::string_view json);
Result<std::string> read_token(std::string_view json);
// One line of a watch.
Result<WatchAnswer> read_watch(std::string_view json);
// What an answer with another status than 200 says; code 0 when it is not etcd's.
Refusal read_refusal(std::string_view json);

}  // namespace hikae::etcd
