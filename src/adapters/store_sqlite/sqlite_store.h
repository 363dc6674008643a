#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "control/ports.h"
#include "storage/rows.h"

namespace hikae::adapters {

// The state in one SQLite database: a row for every resource, and the revision. Each transition is
// one transaction that is on the disk (write-ahead log, synchronous=FULL) before commit() answers.
//
// Calls run on a thread of the store's own, in the order in which they were made, so that a slow
// disk never stops the control thread. Destruction waits for the running call.
class SqliteStore final : public control::Store {
 public:
  // The version of the tables. A database of a newer one is refused.
  static constexpr int kSchemaVersion = 1;

  // `path` of the database file, made with mode 0600 when it is not there. Nothing is opened before
  // the first load() or commit(). `on_thread` is called once in the thread that works with it,
  // before all else.
  explicit SqliteStore(std::string path, std::function<void()> on_thread = {});
  ~SqliteStore();

  // kInvalid: a newer schema, or a damaged row. kDenied, kExhausted, kUnavailable: the file.
  control::Awaitable<Result<core::State>> load() override;
  control::Awaitable<Status> commit(core::Transition transition, core::Revision expected,
                                    std::optional<control::LeaderTerm> term) override;
  // Fills the store with the state, which keeps its revision. kConflict: it holds one already.
  control::Awaitable<Status> restore(core::State state);

 private:
  class Connection;
  using Rows = std::vector<storage::RowChange>;

  control::Awaitable<Status> replace(Rows rows, core::Revision expected, core::Revision next);
  // On the pool's thread: sees to the log when nothing was committed for a while.
  void tidy_later();

  std::string path_;
  std::unique_ptr<Connection> connection_;  // used on the pool's thread alone
  boost::asio::thread_pool pool_{1};
  boost::asio::steady_timer quiet_{pool_};  // used on the pool's thread, as the next
  bool closing_ = false;
};

}  // namespace hikae::adapters
