#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "adapters/resp_client/connection.h"
#include "base/time.h"

namespace hikae::app {

// Writes numbered values to a primary endpoint as a careful client does: one at a time, and after
// any failure it asks for the name again. A number is never written twice.
class DrillWriter {
 public:
  // Where the endpoint leads just now; nullopt: nowhere.
  using Resolver = std::function<std::optional<resp::Target>()>;

  DrillWriter(std::string key, Resolver resolve);

  // Writes until stop(), and has closed its connection when it returns. The object must outlive it.
  boost::asio::awaitable<void> run();
  void stop() { stopping_ = true; }
  bool ended() const { return ended_; }

  std::size_t acknowledged() const { return acknowledged_.size(); }
  // The longest time between two acknowledged writes, up to now.
  Duration longest_gap() const;

  // After the end: how many acknowledged values are gone. Removes them all. kUnavailable when the
  // endpoint cannot be asked.
  boost::asio::awaitable<Result<std::size_t>> count_lost();

 private:
  boost::asio::awaitable<void> write(resp::Connection connection);
  void note_acknowledged(std::int64_t number);

  std::string key_;
  Resolver resolve_;
  std::int64_t next_ = 0;
  std::vector<std::int64_t> acknowledged_;
  Monotonic last_;
  Duration gap_{};
  bool stopping_ = false;
  bool ended_ = false;
};

}  // namespace hikae::app
