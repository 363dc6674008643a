#include "adapters/store_etcd/messages.h"

#include <charconv>
#include <concepts>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "codec/record/record_reader.h"
#include "codec/record/record_writer.h"
#include "codec/text/encoding.h"

namespace hikae::etcd {
namespace {

using codec::RecordDocument;
using codec::RecordNode;
using codec::RecordWriter;

void bytes(RecordWriter& out, std::string_view name, std::string_view value) {
  out.key(name);
  out.string(codec::base64_encode(value));
}

template <std::integral T>
void number(RecordWriter& out, std::string_view name, T value) {
  out.key(name);
  out.string(fmt::format_int(value).str());
}

void write(RecordWriter& out, const RangeRequest& request) {
  out.begin_object();
  bytes(out, "key", request.key);
  if (!request.range_end.empty()) {
    bytes(out, "range_end", request.range_end);
  }
  if (request.revision != 0) {
    number(out, "revision", request.revision);
  }
  if (request.limit != 0) {
    number(out, "limit", request.limit);
  }
  out.end_object();
}

void write(RecordWriter& out, const Compare& compare) {
  const bool created = compare.what == Compare::What::kCreateRevision;
  out.begin_object();
  out.key("target");
  out.string(created ? "CREATE" : "MOD");
  bytes(out, "key", compare.key);
  number(out, created ? "create_revision" : "mod_revision", compare.equals);
  out.end_object();
}

void write(RecordWriter& out, const Operation& operation) {
  out.begin_object();
  switch (operation.what) {
    case Operation::What::kPut:
      out.key("request_put");
      out.begin_object();
      bytes(out, "key", operation.key);
      bytes(out, "value", operation.value);
      if (operation.lease != 0) {
        number(out, "lease", operation.lease);
      }
      break;
    case Operation::What::kDelete:
      out.key("request_delete_range");
      out.begin_object();
      bytes(out, "key", operation.key);
      if (!operation.range_end.empty()) {
        bytes(out, "range_end", operation.range_end);
      }
      break;
    case Operation::What::kRange:
      out.key("request_range");
      out.begin_object();
      bytes(out, "key", operation.key);
      break;
  }
  out.end_object();
  out.end_object();
}

template <class T>
void write_list(RecordWriter& out, std::string_view name, const std::vector<T>& list) {
  out.key(name);
  out.begin_array();
  for (const T& element : list) {
    write(out, element);
  }
  out.end_array();
}

// Reading. A member that is missing or of another type reads as nothing: the gateway leaves out
// what is zero.

RecordNode nothing() {
  static const auto document = RecordDocument::parse("null");
  return document->root();
}

RecordNode member(RecordNode node, std::string_view name) {
  return node.is_object() ? node.member(name).value_or(nothing()) : nothing();
}

// 64 bits come as text, fewer as a number.
template <std::integral T>
T number_member(RecordNode node, std::string_view name) {
  const RecordNode value = member(node, name);
  T out = 0;
  if (const auto text = value.as_string()) {
    std::from_chars(text->data(), text->data() + text->size(), out);
  } else if constexpr (std::is_signed_v<T>) {
    out = value.as_integer().value_or(0);
  } else {
    out = value.as_unsigned().value_or(0);
  }
  return out;
}

std::string text_member(RecordNode node, std::string_view name) {
  return std::string(member(node, name).as_string().value_or(""));
}

std::optional<std::string> bytes_member(RecordNode node, std::string_view name) {
  return codec::base64_decode(member(node, name).as_string().value_or(""));
}

std::uint64_t header_revision(RecordNode node) {
  return number_member<std::uint64_t>(member(node, "header"), "revision");
}

std::optional<KeyValue> read_pair(RecordNode node) {
  auto key = bytes_member(node, "key");
  auto value = bytes_member(node, "value");
  if (!key || !value || key->empty()) {
    return std::nullopt;
  }
  KeyValue pair;
  pair.key = std::move(*key);
  pair.value = std::move(*value);
  pair.create_revision = number_member<std::uint64_t>(node, "create_revision");
  pair.mod_revision = number_member<std::uint64_t>(node, "mod_revision");
  return pair;
}

// False when one of them is no pair.
bool read_pairs(RecordNode node, std::vector<KeyValue>& pairs) {
  bool good = true;
  const RecordNode list = member(node, "kvs");
  if (list.is_array()) {
    list.for_each_element([&](std::size_t, RecordNode element) {
      auto pair = read_pair(element);
      good = pair.has_value();
      if (good) {
        pairs.push_back(std::move(*pair));
      }
      return good;
    });
  }
  return good;
}

tl::unexpected<Error> strange(std::string_view what, std::string_view json) {
  constexpr std::size_t kShown = 120;
  return fail(ErrorCode::kInternal,
              fmt::format("etcd answered no {}: {}", what, std::string(json.substr(0, kShown))));
}

// The answer when it is an object.
Result<RecordDocument> read_answer(std::string_view what, std::string_view json) {
  auto document = RecordDocument::parse(json);
  if (!document || !document->root().is_object()) {
    return strange(what, json);
  }
  return document;
}

std::optional<WatchEvent> read_event(RecordNode node) {
  auto pair = read_pair(member(node, "kv"));
  if (!pair) {
    return std::nullopt;
  }
  WatchEvent event;
  event.pair = std::move(*pair);
  event.removed = text_member(node, "type") == "DELETE";
  return event;
}

}  // namespace

Operation Operation::put(std::string key, std::string value) {
  return {What::kPut, std::move(key), std::move(value), "", 0};
}

Operation Operation::get(std::string key) {
  return {What::kRange, std::move(key), "", "", 0};
}

Operation Operation::remove(std::string key, std::string range_end) {
  return {What::kDelete, std::move(key), "", std::move(range_end), 0};
}

std::string end_of_prefix(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xFF) {
    prefix.pop_back();
  }
  if (!prefix.empty()) {
    prefix.back() = char(static_cast<unsigned char>(prefix.back()) + 1);
  }
  return prefix;
}

std::string to_json(const RangeRequest& request) {
  RecordWriter out;
  write(out, request);
  return out.take();
}

std::string to_json(const TxnRequest& request) {
  RecordWriter out;
  out.begin_object();
  write_list(out, "compare", request.compare);
  write_list(out, "success", request.success);
  write_list(out, "failure", request.failure);
  out.end_object();
  return out.take();
}

std::string grant_json(std::int64_t ttl_seconds) {
  RecordWriter out;
  out.begin_object();
  number(out, "TTL", ttl_seconds);
  out.end_object();
  return out.take();
}

std::string lease_json(std::int64_t id) {
  RecordWriter out;
  out.begin_object();
  number(out, "ID", id);
  out.end_object();
  return out.take();
}

std::string authenticate_json(std::string_view user, std::string_view password) {
  RecordWriter out;
  out.begin_object();
  out.key("name");
  out.string(user);
  out.key("password");
  out.string(password);
  out.end_object();
  return out.take();
}

std::string watch_json(std::string_view key, std::string_view range_end, std::uint64_t revision) {
  RecordWriter out;
  out.begin_object();
  out.key("create_request");
  out.begin_object();
  bytes(out, "key", key);
  if (!range_end.empty()) {
    bytes(out, "range_end", range_end);
  }
  number(out, "start_revision", revision);
  out.end_object();
  out.end_object();
  return out.take();
}

Result<RangeAnswer> read_range(std::string_view json) {
  const auto document = read_answer("range", json);
  if (!document) {
    return tl::unexpected(document.error());
  }
  const RecordNode root = document->root();
  RangeAnswer answer;
  answer.revision = header_revision(root);
  answer.more = member(root, "more").as_boolean().value_or(false);
  if (answer.revision == 0 || !read_pairs(root, answer.pairs)) {
    return strange("range", json);
  }
  return answer;
}

Result<TxnAnswer> read_txn(std::string_view json) {
  const auto document = read_answer("transaction", json);
  if (!document) {
    return tl::unexpected(document.error());
  }
  const RecordNode root = document->root();
  TxnAnswer answer;
  answer.revision = header_revision(root);
  answer.succeeded = member(root, "succeeded").as_boolean().value_or(false);
  bool good = answer.revision != 0;
  const RecordNode responses = member(root, "responses");
  if (responses.is_array()) {
    responses.for_each_element([&](std::size_t, RecordNode response) {
      good = good && read_pairs(member(response, "response_range"), answer.pairs);
      return good;
    });
  }
  if (!good) {
    return strange("transaction", json);
  }
  return answer;
}

Result<LeaseAnswer> read_grant(std::string_view json) {
  const auto document = read_answer("lease", json);
  if (!document) {
    return tl::unexpected(document.error());
  }
  LeaseAnswer answer;
  answer.id = number_member<std::int64_t>(document->root(), "ID");
  answer.ttl_seconds = number_member<std::int64_t>(document->root(), "TTL");
  if (answer.id == 0 || answer.ttl_seconds <= 0) {
    return strange("lease", json);
  }
  return answer;
}

Result<LeaseAnswer> read_keep_alive(std::string_view json) {
  const auto document = read_answer("lease", json);
  if (!document) {
    return tl::unexpected(document.error());
  }
  const RecordNode result = member(document->root(), "result");
  LeaseAnswer answer;
  answer.id = number_member<std::int64_t>(result, "ID");
  answer.ttl_seconds = number_member<std::int64_t>(result, "TTL");
  if (answer.id == 0) {
    return strange("lease", json);
  }
  return answer;
}

Result<std::string> read_token(std::string_view json) {
  const auto document = read_answer("token", json);
  std::string token = document ? text_member(document->root(), "token") : std::string();
  if (token.empty()) {
    return fail(ErrorCode::kInternal, "etcd answered no token");  // never shows what it was
  }
  return token;
}

Result<WatchAnswer> read_watch(std::string_view json) {
  const auto document = read_answer("watch", json);
  if (!document) {
    return tl::unexpected(document.error());
  }
  const RecordNode result = member(document->root(), "result");
  WatchAnswer answer;
  answer.revision = header_revision(result);
  answer.created = member(result, "created").as_boolean().value_or(false);
  answer.cancelled = member(result, "canceled").as_boolean().value_or(false);
  answer.compact_revision = number_member<std::uint64_t>(result, "compact_revision");
  answer.reason = text_member(result, "cancel_reason");
  bool good = result.is_object();
  const RecordNode events = member(result, "events");
  if (good && events.is_array()) {
    events.for_each_element([&](std::size_t, RecordNode element) {
      auto event = read_event(element);
      good = event.has_value();
      if (good) {
        answer.events.push_back(std::move(*event));
      }
      return good;
    });
  }
  if (!good) {
    return strange("watch", json);
  }
  return answer;
}

Refusal read_refusal(std::string_view json) {
  Refusal refusal;
  const auto document = RecordDocument::parse(json);
  if (!document || !document->root().is_object()) {
    return refusal;
  }
  // The refusal of a stream stands one level deeper.
  const RecordNode inner = member(document->root(), "error");
  const RecordNode root = inner.is_object() ? inner : document->root();
  refusal.code = int(number_member<std::int64_t>(root, inner.is_object() ? "grpc_code" : "code"));
  refusal.message = text_member(root, "message");
  return refusal;
}

}  // namespace hikae::etcd
