#include "codec/resp/parser.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/strings.h"

namespace hikae::codec::resp {

namespace {

// Consumed bytes are cut off the buffer when they are this many and half of it, not for every
// reply: so each byte is moved a constant number of times.
constexpr std::size_t kCompactBytes = 64 * 1024;

constexpr std::string_view kLineEnd = "\r\n";

std::optional<double> parse_double(std::string_view text) {
  if (text == "inf" || text == "+inf") {
    return std::numeric_limits<double>::infinity();
  }
  if (text == "-inf") {
    return -std::numeric_limits<double>::infinity();
  }
  if (text == "nan" || text == "-nan") {
    return std::numeric_limits<double>::quiet_NaN();
  }
  double number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

bool is_big_number(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    text.remove_prefix(1);
  }
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::optional<std::int64_t> parse_signed(std::string_view text) {
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') {
    text.remove_prefix(1);
  }
  return parse_integer(text);
}

}  // namespace

void Parser::feed(std::string_view bytes) {
  buffer_.append(bytes);
}

Result<std::optional<Value>> Parser::next() {
  if (error_) {
    return tl::unexpected(*error_);
  }
  while (true) {
    Value value;
    switch (read_element(value)) {
      case Step::kNeedMore:
        if (buffer_.size() - reply_begin_ > limits_.reply_bytes) {
          broken("a reply is too long");
          return tl::unexpected(*error_);
        }
        return std::optional<Value>();
      case Step::kFailed:
        return tl::unexpected(*error_);
      case Step::kOpened:
        break;
      case Step::kValue:
        if (close_frames(value)) {
          forget_consumed();
          return std::optional<Value>(std::move(value));
        }
        break;
    }
    if (at_ - reply_begin_ > limits_.reply_bytes) {
      broken("a reply is too long");
      return tl::unexpected(*error_);
    }
  }
}

// Puts a finished value into the aggregate that waits for it, and that one, when it is finished,
// into its own. True when `value` has become a whole reply.
bool Parser::close_frames(Value& value) {
  while (!stack_.empty()) {
    Frame& top = stack_.back();
    if (!top.is_attribute) {
      top.value.items.push_back(std::move(value));
    }
    if (--top.missing > 0) {
      return false;
    }
    const bool attribute = top.is_attribute;
    value = std::move(top.value);
    stack_.pop_back();
    if (attribute) {
      return false;  // the value it belongs to comes next
    }
  }
  return true;
}

Parser::Step Parser::read_element(Value& out) {
  const std::size_t begin = at_;
  const auto line = read_line();
  if (!line) {
    return error_ ? Step::kFailed : Step::kNeedMore;
  }
  if (line->empty()) {
    return broken("an empty line where a reply should begin");
  }
  const char marker = line->front();
  const std::string_view rest = line->substr(1);
  Step step = Step::kFailed;
  switch (marker) {
    case '$':
      step = read_bulk(rest, Value::Type::kBulk, out);
      break;
    case '!':
      step = read_bulk(rest, Value::Type::kError, out);
      break;
    case '=':
      step = read_bulk(rest, Value::Type::kVerbatim, out);
      break;
    case '*':
    case '~':
    case '%':
    case '>':
    case '|':
      step = read_aggregate(marker, rest, out);
      break;
    default:
      step = read_scalar(marker, rest, out);
      break;
  }
  if (step == Step::kNeedMore) {
    at_ = begin;  // read the short header again when the rest of the bulk string is there
    scanned_ = begin;
  } else if (step != Step::kFailed && ++elements_ > limits_.elements) {
    return broken("a reply has too many elements");
  }
  return step;
}

Parser::Step Parser::read_scalar(char marker, std::string_view line, Value& out) {
  switch (marker) {
    case '+':
      out.type = Value::Type::kSimple;
      out.text = line;
      return Step::kValue;
    case '-':
      out.type = Value::Type::kError;
      out.text = line;
      return Step::kValue;
    case ':':
      if (const auto number = parse_signed(line)) {
        out.type = Value::Type::kInteger;
        out.integer = *number;
        return Step::kValue;
      }
      return broken("a malformed integer");
    case ',':
      if (const auto number = parse_double(line)) {
        out.type = Value::Type::kDouble;
        out.number = *number;
        return Step::kValue;
      }
      return broken("a malformed double");
    case '#':
      if (line != "t" && line != "f") {
        return broken("a malformed boolean");
      }
      out.type = Value::Type::kBoolean;
      out.integer = line == "t" ? 1 : 0;
      return Step::kValue;
    case '(':
      if (!is_big_number(line)) {
        return broken("a malformed big number");
      }
      out.type = Value::Type::kBigNumber;
      out.text = line;
      return Step::kValue;
    case '_':
      return line.empty() ? Step::kValue : broken("a malformed null");
    default:
      return broken(
          fmt::format("no reply begins with byte 0x{:02x}", static_cast<unsigned char>(marker)));
  }
}

Parser::Step Parser::read_bulk(std::string_view header, Value::Type type, Value& out) {
  const auto size = parse_integer(header);
  if (size && *size == -1 && type == Value::Type::kBulk) {
    return Step::kValue;  // RESP2's null
  }
  if (!size || *size < 0) {
    return broken("a malformed length of a bulk string");
  }
  if (static_cast<std::uint64_t>(*size) > limits_.bulk_bytes) {
    return broken("a bulk string is too long");
  }
  const auto length = static_cast<std::size_t>(*size);
  if (buffered() < length + kLineEnd.size()) {
    return Step::kNeedMore;
  }
  std::string_view text = std::string_view(buffer_).substr(at_, length);
  if (std::string_view(buffer_).substr(at_ + length, kLineEnd.size()) != kLineEnd) {
    return broken("a bulk string without its end");
  }
  at_ = scanned_ = at_ + length + kLineEnd.size();
  if (type == Value::Type::kVerbatim) {
    // Three letters of format and a colon: `txt:`.
    if (text.size() < 4 || text[3] != ':') {
      return broken("a verbatim string without its format");
    }
    text.remove_prefix(4);
  }
  out.type = type;
  out.text = text;
  return Step::kValue;
}

Parser::Step Parser::read_aggregate(char marker, std::string_view header, Value& out) {
  const auto count = parse_integer(header);
  if (count && *count == -1 && marker == '*') {
    return Step::kValue;  // RESP2's null array
  }
  if (!count || *count < 0) {
    return broken("a malformed count of elements");
  }
  const bool pairs = marker == '%' || marker == '|';
  const std::size_t allowed = (limits_.elements - elements_) / (pairs ? 2 : 1);
  if (static_cast<std::uint64_t>(*count) > allowed) {
    return broken("a reply has too many elements");
  }
  switch (marker) {
    case '~':
      out.type = Value::Type::kSet;
      break;
    case '%':
    case '|':
      out.type = Value::Type::kMap;
      break;
    case '>':
      out.type = Value::Type::kPush;
      break;
    default:
      out.type = Value::Type::kArray;
      break;
  }
  if (*count == 0) {
    // An attribute without entries says nothing; the reply itself follows.
    return marker == '|' ? Step::kOpened : Step::kValue;
  }
  if (stack_.size() >= limits_.depth) {
    return broken("a reply is nested too deeply");
  }
  stack_.push_back(
      Frame{std::move(out), static_cast<std::size_t>(*count) * (pairs ? 2 : 1), marker == '|'});
  return Step::kOpened;
}

std::optional<std::string_view> Parser::read_line() {
  const std::size_t end = buffer_.find(kLineEnd, scanned_);
  if (end == std::string::npos) {
    if (buffered() > limits_.line_bytes) {
      broken("a line is too long");
    }
    // The last byte may be the first half of a line end.
    scanned_ = buffer_.size() > at_ ? buffer_.size() - 1 : at_;
    return std::nullopt;
  }
  if (end - at_ > limits_.line_bytes) {
    broken("a line is too long");
    return std::nullopt;
  }
  const auto line = std::string_view(buffer_).substr(at_, end - at_);
  at_ = scanned_ = end + kLineEnd.size();
  return line;
}

Parser::Step Parser::broken(std::string what) {
  error_ = Error{ErrorCode::kInvalid, "not a reply in the RESP protocol: " + std::move(what)};
  return Step::kFailed;
}

void Parser::forget_consumed() {
  if (at_ == buffer_.size() || (at_ >= kCompactBytes && at_ >= buffer_.size() / 2)) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
  scanned_ = reply_begin_ = at_;
  elements_ = 0;
}

}  // namespace hikae::codec::resp
