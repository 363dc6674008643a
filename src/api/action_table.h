#pragma once

#include <optional>
#include <span>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "api/fault.h"
#include "api/handler_context.h"
#include "api/reader.h"
#include "api/version.h"
#include "codec/query/query_node.h"
#include "codec/query/response_writer.h"

namespace hikae::api {

// One call of an action: what the dispatcher hands to its invoke function. Everything is owned by
// the dispatcher and outlives the call.
struct Invocation {
  HandlerContext& context;
  const codec::QueryNode& input;
  Dialect dialect;
  std::string_view result;        // the element around the output; empty when there is none
  codec::ResponseWriter& output;  // untouched when the call ends with a fault
};

using InvokeFunction = boost::asio::awaitable<std::optional<ApiFault>> (*)(Invocation&);

// An action of a service model.
struct Action {
  std::string_view name;
  std::string_view family;
  ApiVersion since;         // the oldest model that has it
  std::string_view result;  // the element around the output; empty when there is none
  InvokeFunction invoke;    // nullptr: declared, but not built
};

// A service as its model declares it. Actions and faults are sorted by name.
struct ServiceTable {
  Service service;
  Dialect dialect;
  std::string_view xml_namespace_prefix;  // the version stands between the two
  std::string_view xml_namespace_suffix;
  std::span<const ApiVersion> versions;  // oldest first
  std::span<const Action> actions;
  std::span<const FaultKind> faults;
};

// nullptr when the service has no action of that name.
const Action* find_action(const ServiceTable& table, std::string_view name);

}  // namespace hikae::api
