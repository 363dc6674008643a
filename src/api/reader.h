#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/fault.h"
#include "api/version.h"
#include "base/time.h"
#include "codec/query/query_node.h"

// What the generated readers are made of. A reader fills one struct of the model from one node of
// the request and reports the first thing that is wrong; it never stops early, since reading is
// cheap and a fault is rare.
namespace hikae::api {

// How lists and missing parameters look on the wire.
enum class Dialect {
  kQuery,  // lists are `Name.item.N` with any item name
  kEc2,    // lists are `Name.N`
};

inline constexpr std::size_t kUnbounded = std::numeric_limits<std::size_t>::max();

class ReadContext {
 public:
  ReadContext(Dialect dialect, ApiVersion version) : dialect_(dialect), version_(version) {}

  Dialect dialect() const { return dialect_; }
  ApiVersion version() const { return version_; }
  // The first thing that was wrong.
  const std::optional<ApiFault>& fault() const { return fault_; }

  void missing(std::string_view name);
  // `value` is shown in the message, shortened.
  void invalid(std::string_view name, std::string_view value, std::string_view expected);
  void refuse(ApiFault fault);

  // `NodeGroupConfiguration.1.Slots` for the member `Slots` of what is being read.
  std::string path_of(std::string_view name) const;

  // Names the structure or list item that is being read, for messages.
  class Scope {
   public:
    Scope(ReadContext& context, std::string_view token);
    ~Scope() { context_.path_.resize(length_); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    ReadContext& context_;
    std::size_t length_;
  };

 private:
  Dialect dialect_;
  ApiVersion version_;
  std::string path_;
  std::optional<ApiFault> fault_;
};

// A value of a simple type. `name` is only for messages.
void read_value(const codec::QueryNode& node, std::string_view name, std::string& out,
                ReadContext& context);
void read_value(const codec::QueryNode& node, std::string_view name, bool& out,
                ReadContext& context);
void read_value(const codec::QueryNode& node, std::string_view name, std::int32_t& out,
                ReadContext& context);
void read_value(const codec::QueryNode& node, std::string_view name, std::int64_t& out,
                ReadContext& context);
void read_value(const codec::QueryNode& node, std::string_view name, double& out,
                ReadContext& context);
void read_value(const codec::QueryNode& node, std::string_view name, Instant& out,
                ReadContext& context);

// A structure: calls the generated read() of its type.
template <class T>
void read_value(const codec::QueryNode& node, std::string_view name, T& out, ReadContext& context) {
  const ReadContext::Scope scope(context, name);
  read(node, out, context);
}

std::vector<const codec::QueryNode*> list_items(const codec::QueryNode& list,
                                                const ReadContext& context);

// A list. An empty value (`SubnetIds=`) is an empty list.
template <class T>
void read_value(const codec::QueryNode& node, std::string_view name, std::vector<T>& out,
                ReadContext& context) {
  const ReadContext::Scope scope(context, name);
  for (const codec::QueryNode* item : list_items(node, context)) {
    read_value(*item, item->token(), out.emplace_back(), context);
  }
}

// True when a parameter of this name, or one below it, was sent.
inline bool is_sent(const codec::QueryNode& parent, std::string_view name) {
  return parent.child(name) != nullptr;
}

// The member `name` of `parent`; `out` stays empty when it was not sent.
template <class T>
void read_member(const codec::QueryNode& parent, std::string_view name, std::optional<T>& out,
                 ReadContext& context) {
  if (const codec::QueryNode* node = parent.child(name)) {
    read_value(*node, name, out.emplace(), context);
  }
}

// The constraints of the model. Each reports a fault and changes nothing.
template <class T>
void require(const std::optional<T>& member, std::string_view name, ReadContext& context) {
  if (!member) {
    context.missing(name);
  }
}
// A required list must have an item, too: the command line tool sends an empty one as `Name=`.
template <class T>
void require(const std::optional<std::vector<T>>& member, std::string_view name,
             ReadContext& context) {
  if (!member) {
    context.missing(name);
  } else if (member->empty()) {
    context.refuse(ApiFault("InvalidParameterValue",
                            "The parameter " + context.path_of(name) + " must be provided."));
  }
}
void check_one_of(const std::string& value, std::string_view name,
                  std::span<const std::string_view> allowed, ReadContext& context);
// Counts UTF-8 code points, as AWS counts characters.
void check_length(const std::string& value, std::string_view name, std::size_t min, std::size_t max,
                  ReadContext& context);
void check_range(std::int64_t value, std::string_view name, std::int64_t min, std::int64_t max,
                 ReadContext& context);
// The whole value must match (api/pattern.h).
void check_pattern(const std::string& value, std::string_view name, std::string_view pattern,
                   ReadContext& context);
void check_count(std::size_t count, std::string_view name, std::size_t min, std::size_t max,
                 ReadContext& context);

}  // namespace hikae::api
