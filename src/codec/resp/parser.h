#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/resp/value.h"

namespace hikae::codec::resp {

// What one reply may be at most. The defaults suit administrative commands (INFO, CONFIG GET *,
// CLUSTER NODES), not bulk data.
struct Limits {
  std::size_t depth = 16;                      // aggregates inside one another
  std::size_t line_bytes = 64 * 1024;          // a simple string, error or number
  std::size_t bulk_bytes = 16 * 1024 * 1024;   // one bulk string
  std::size_t elements = 128 * 1024;           // values in one reply, at all depths
  std::size_t reply_bytes = 32 * 1024 * 1024;  // one whole reply on the wire
};

// Cuts a stream of bytes into replies. Feed bytes as they come, then take replies until there is no
// whole one. Work done on a part of a reply is kept, so feeding byte by byte costs linear time.
// After an error the stream has lost its frame: every later next() fails too, and the connection
// must be closed.
//
// RESP3 attributes are read and left out. Streamed strings and aggregates (`$?`, `*?`), which no
// server sends, are refused.
class Parser {
 public:
  explicit Parser(Limits limits = {}) : limits_(limits) {}

  void feed(std::string_view bytes);

  // The next whole reply, nullopt when more bytes are needed, kInvalid when the bytes are not
  // RESP or exceed a limit.
  Result<std::optional<Value>> next();

  // Bytes that are fed and not yet part of a reply that was taken.
  std::size_t buffered() const { return buffer_.size() - at_; }

 private:
  // An aggregate whose elements are still coming.
  struct Frame {
    Value value;
    std::size_t missing = 0;
    bool is_attribute = false;
  };
  enum class Step { kValue, kOpened, kNeedMore, kFailed };

  Step read_element(Value& out);
  Step read_bulk(std::string_view header, Value::Type type, Value& out);
  Step read_aggregate(char marker, std::string_view header, Value& out);
  Step read_scalar(char marker, std::string_view line, Value& out);
  std::optional<std::string_view> read_line();
  bool close_frames(Value& value);
  Step broken(std::string what);
  void forget_consumed();

  Limits limits_;
  std::string buffer_;
  std::size_t at_ = 0;       // consumed up to here
  std::size_t scanned_ = 0;  // no line end lies between at_ and here
  std::size_t reply_begin_ = 0;
  std::size_t elements_ = 0;  // of the reply being read
  std::vector<Frame> stack_;
  std::optional<Error> error_;
};

}  // namespace hikae::codec::resp
