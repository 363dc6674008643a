#include "app/host_logs.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "adapters/delivery/line_file.h"
#include "adapters/delivery/log_tail.h"
#include "app/log_text.h"
#include "base/strings.h"
#include "codec/record/record.h"
#include "control/offload.h"

namespace hikae::app {
namespace {

struct LogMessage {
  std::string log_type;
  std::string destination_type;
  std::string destination;
  std::string format;
  std::string stream;
  std::vector<std::string> lines;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("LogType", s.log_type);
    v("DestinationType", s.destination_type);
    v("Destination", s.destination);
    v("LogFormat", s.format);
    v("Stream", s.stream);
    v("Lines", s.lines);
  }
};

// A log group `/aws/cache` is the directories `aws/cache`; names that mean other directories are
// written out.
std::string as_directories(std::string_view name) {
  std::string out;
  for (const std::string& part : split(name, '/')) {
    if (part.empty()) {
      continue;
    }
    const bool dots = part.find_first_not_of('.') == std::string::npos;
    out += "/" + (dots ? std::string(part.size(), '_') : part);
  }
  return out;
}

std::vector<std::string> lines_of(const control::LogBatch& batch) {
  std::vector<std::string> out;
  for (const std::string& line : batch.lines) {
    out.push_back(engine_log_line(line, batch.node, batch.to.format));
  }
  for (const control::SlowEntry& entry : batch.slow) {
    out.push_back(slow_log_line(entry, batch.node, batch.to.format));
  }
  return out;
}

}  // namespace

std::string log_file_path(const LogPlaces& places, const control::LogBatch& batch) {
  return fmt::format("{}{}{}{}.log", places.directory, as_directories(batch.to.destination_type),
                     as_directories(batch.to.destination), as_directories(batch.stream));
}

std::string log_message(const control::LogBatch& batch, const std::vector<std::string>& lines) {
  return codec::to_json(LogMessage{batch.to.log_type, batch.to.destination_type,
                                   batch.to.destination, batch.to.format, batch.stream, lines});
}

Result<std::unique_ptr<LogPost>> LogPost::open(boost::asio::any_io_executor executor,
                                               LogPlaces places, control::Clock& clock,
                                               control::Log& log) {
  std::unique_ptr<LogPost> out(new LogPost(std::move(places)));
  if (!out->places_.webhook.empty()) {
    auto webhook = adapters::Webhook::open(out->places_.webhook);
    if (!webhook) {
      return tl::unexpected(webhook.error());
    }
    out->webhook_.emplace(std::move(*webhook));
    out->outbox_.emplace(std::move(executor), *out->webhook_, clock, log);
  }
  return out;
}

void LogPost::start() {
  if (outbox_) {
    outbox_->start();
  }
}

control::Awaitable<void> LogPost::stop() {
  if (outbox_) {
    co_await outbox_->stop();
  }
}

control::Awaitable<Status> LogPost::deliver(control::LogBatch batch) {
  const std::vector<std::string> lines = lines_of(batch);
  const auto append = [path = log_file_path(places_, batch), text = join(lines, "\n") + "\n"] {
    return adapters::append_lines(path, text, adapters::LineFileLimits());
  };
  const Status appended = co_await control::offload(pool_, append);
  if (appended && outbox_) {
    outbox_->put(log_message(batch, lines));
  }
  co_return appended;
}

control::Awaitable<Result<control::LogChunk>> HostLogs::read_lines(std::string path,
                                                                   control::LogPlace place) {
  const auto read = [path = std::move(path), place] { return adapters::read_tail(path, place); };
  co_return co_await control::offload(pool_, read);
}

control::Awaitable<Result<std::vector<control::SlowEntry>>> HostLogs::read_slow_log(
    core::NodeAssignment node, std::int64_t after) {
  co_return co_await slow_log_.read(std::move(node), after);
}

}  // namespace hikae::app
