#include "app/log_text.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "codec/record/record.h"

namespace hikae::app {
namespace {

struct SlowLine {
  std::string cluster;
  std::string node;
  std::int64_t id = 0;
  std::int64_t timestamp = 0;
  std::int64_t duration = 0;
  std::string command;
  std::string client_address;
  std::string client_name;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("CacheClusterId", s.cluster);
    v("CacheNodeId", s.node);
    v("Id", s.id);
    v("Timestamp", s.timestamp);
    v("Duration (us)", s.duration);
    v("Command", s.command);
    v("ClientAddress", s.client_address);
    v("ClientName", s.client_name);
  }
};

struct EngineLine {
  std::string cluster;
  std::string node;
  std::string level;
  std::string role;
  std::string time;
  std::string message;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("CacheClusterId", s.cluster);
    v("CacheNodeId", s.node);
    v("LogLevel", s.level);
    v("Role", s.role);
    v("Time", s.time);
    v("Message", s.message);
  }
};

// `SET ... (2 more arguments)`: what they are may be secret.
std::string without_arguments(const control::SlowEntry& entry) {
  if (entry.arguments == 0) {
    return entry.command;
  }
  return fmt::format("{} ... ({} more argument{})", entry.command, entry.arguments,
                     entry.arguments == 1 ? "" : "s");
}

std::string level_of(char mark) {
  switch (mark) {
    case '.':
      return "DEBUG";
    case '-':
      return "VERBOSE";
    case '*':
      return "NOTICE";
    case '#':
      return "WARNING";
    default:
      return "";
  }
}

std::string role_of(char mark) {
  switch (mark) {
    case 'M':
      return "Master";
    case 'S':
      return "Slave";
    case 'C':
      return "RDB/AOF writing child";
    case 'X':
      return "Sentinel";
    default:
      return "";
  }
}

// `4711:M 26 Nov 2026 11:20:01.123 * Ready to accept connections`, as both engines write it; what
// is written otherwise (a banner, a crash report) is all message.
EngineLine parse_engine_line(const std::string& line) {
  constexpr std::size_t kTimeWords = 4;
  EngineLine out;
  out.message = line;
  const auto words = split(line, ' ');
  const std::size_t colon = words[0].find(':');
  const bool known = words.size() > kTimeWords + 2 && colon != std::string::npos &&
                     colon + 2 == words[0].size() && words[kTimeWords + 1].size() == 1 &&
                     parse_integer(words[0].substr(0, colon)).has_value();
  if (!known) {
    return out;
  }
  out.role = role_of(words[0][colon + 1]);
  out.level = level_of(words[kTimeWords + 1][0]);
  out.time = join({words.begin() + 1, words.begin() + 1 + kTimeWords}, " ");
  out.message = join({words.begin() + kTimeWords + 2, words.end()}, " ");
  return out;
}

}  // namespace

std::string slow_log_line(const control::SlowEntry& entry, const core::NodeKey& node,
                          const std::string& format) {
  if (format == "json") {
    return codec::to_json(SlowLine{node.cluster.str(), node.node.str(), entry.id, entry.seconds,
                                   entry.microseconds, without_arguments(entry),
                                   entry.client_address, entry.client_name});
  }
  return fmt::format("{},{},{},{},{},{},{}", node.cluster.str(), node.node.str(), entry.seconds,
                     entry.microseconds, without_arguments(entry), entry.client_address,
                     entry.client_name);
}

std::string engine_log_line(const std::string& line, const core::NodeKey& node,
                            const std::string& format) {
  if (format != "json") {
    return fmt::format("{}/{} {}", node.cluster.str(), node.node.str(), line);
  }
  EngineLine out = parse_engine_line(line);
  out.cluster = node.cluster.str();
  out.node = node.node.str();
  return codec::to_json(out);
}

}  // namespace hikae::app
