#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include "api/action_table.h"
#include "api/writer.h"

namespace hikae::api {

// The output of an action around its members, as its protocol wants it.
template <class Output>
void write_output(const Invocation& call, const Output& output) {
  if constexpr (std::is_same_v<Output, NoOutput>) {
    if (call.dialect == Dialect::kEc2) {
      call.output.boolean("return", true);
    }
  } else {
    WriteContext context{.out = call.output, .version = call.context.version()};
    if (call.result.empty()) {
      write_members(context, output);
    } else {
      write_value(context, call.result, output);
    }
  }
}

// Reads the input, calls the handler, writes the output. The action table names one instance per
// built action, so that an action without a handler does not link.
template <class Input, class Output, AsyncResult<Output> (*handler)(HandlerContext&, Input)>
boost::asio::awaitable<std::optional<ApiFault>> invoke(Invocation& call) {
  Input input;
  ReadContext reading(call.dialect, call.context.version());
  read(call.input, input, reading);
  if (reading.fault()) {
    co_return reading.fault();
  }
  const ApiResult<Output> output = co_await handler(call.context, std::move(input));
  if (!output) {
    co_return output.error();
  }
  write_output(call, *output);
  co_return std::nullopt;
}

}  // namespace hikae::api
