#pragma once

#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/thread_pool.hpp>

#include "adapters/delivery/webhook.h"
#include "control/log_ports.h"
#include "control/outbox.h"
#include "engine/redis_slow_log.h"

namespace hikae::app {

// Where logs of nodes are delivered, as configured.
struct LogPlaces {
  std::string directory;  // files, as docs/configuration.md names them
  std::string webhook;    // posted there too; empty: none
};

// The path of the file in which a log is delivered, below the directory. Names come from customers:
// whatever they are, the file is below it.
std::string log_file_path(const LogPlaces& places, const control::LogBatch& batch);

// The webhook's message for a batch, JSON.
std::string log_message(const control::LogBatch& batch, const std::vector<std::string>& lines);

// Where the logs of one thread's agents go: files in a directory, which block nobody, and a
// webhook.
class LogPost final : public control::LogSink {
 public:
  // kInvalid: the webhook.
  static Result<std::unique_ptr<LogPost>> open(boost::asio::any_io_executor executor,
                                               LogPlaces places, control::Clock& clock,
                                               control::Log& log);

  void start();
  control::Awaitable<void> stop();
  // The files count: what a webhook does not take is lost, and told in the log.
  control::Awaitable<Status> deliver(control::LogBatch batch) override;
  boost::asio::thread_pool& pool() { return pool_; }

 private:
  explicit LogPost(LogPlaces places) : places_(std::move(places)) {}

  const LogPlaces places_;
  std::optional<adapters::Webhook> webhook_;
  std::optional<control::Outbox> outbox_;
  boost::asio::thread_pool pool_{1};
};

// The logs of one host's engines.
class HostLogs final : public control::LogSource {
 public:
  // Reads files on the pool, which must outlive it.
  HostLogs(engine::RedisSlowLog slow_log, boost::asio::thread_pool& pool)
      : slow_log_(std::move(slow_log)), pool_(pool) {}

  control::Awaitable<Result<control::LogChunk>> read_lines(std::string path,
                                                           control::LogPlace place) override;
  control::Awaitable<Result<std::vector<control::SlowEntry>>> read_slow_log(
      core::NodeAssignment node, std::int64_t after) override;

 private:
  engine::RedisSlowLog slow_log_;
  boost::asio::thread_pool& pool_;
};

}  // namespace hikae::app
