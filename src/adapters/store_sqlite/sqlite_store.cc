#include "adapters/store_sqlite/sqlite_store.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <unistd.h>
#include <vector>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "adapters/store_sqlite/sqlite_error.h"
#include "adapters/store_sqlite/write_ahead_log.h"
#include "control/offload.h"
#include "storage/rows.h"

namespace hikae::adapters {
namespace {

constexpr int kBusyTimeoutMs = 5'000;
// Longer than a failover takes from commit to commit.
constexpr auto kQuiet = std::chrono::seconds(1);
constexpr std::string_view kRevisionKey = "revision";
constexpr std::string_view kSchemaKey = "schema_version";

constexpr const char* kTables = R"sql(
CREATE TABLE IF NOT EXISTS meta (
  key TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS resource (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  body TEXT NOT NULL,
  revision INTEGER NOT NULL,
  PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
)sql";

constexpr const char* kPut =
    "INSERT INTO resource (kind, id, body, revision) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body, revision = excluded.revision";
constexpr const char* kRemove = "DELETE FROM resource WHERE kind = ? AND id = ?";
constexpr const char* kMeta = "SELECT value FROM meta WHERE key = ?";
constexpr const char* kSetMeta =
    "INSERT INTO meta (key, value) VALUES (?, ?) "
    "ON CONFLICT (key) DO UPDATE SET value = excluded.value";

// Each is prepared once: that takes longer than to carry it out, and a failover waits for it. The
// tables must be there.
struct Statements {
  explicit Statements(SQLite::Database& database)
      : put(database, kPut),
        remove(database, kRemove),
        meta(database, kMeta),
        set_meta(database, kSetMeta) {}
  SQLite::Statement put;
  SQLite::Statement remove;
  SQLite::Statement meta;
  SQLite::Statement set_meta;
};

// A statement in use; afterwards it holds no lock and can be used again, whatever became of it.
class Use {
 public:
  explicit Use(SQLite::Statement& statement) : statement_(statement) {}
  ~Use() { statement_.tryReset(); }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  SQLite::Statement* operator->() { return &statement_; }

 private:
  SQLite::Statement& statement_;
};

// SQLite makes its files readable for everybody that umask lets in; the state is its owner's.
Status make_private_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    const ErrorCode code = errno == ENOSPC || errno == EDQUOT ? ErrorCode::kExhausted
                           : errno == ENOENT                  ? ErrorCode::kNotFound
                                                              : ErrorCode::kDenied;
    return fail(code, fmt::format("database {}: cannot be opened: {}", path, std::strerror(errno)));
  }
  ::close(fd);
  return {};
}

}  // namespace

// The open database. All methods may throw SQLite::Exception; the store turns it into an Error.
class SqliteStore::Connection {
 public:
  explicit Connection(const std::string& path)
      : database_(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyTimeoutMs),
        log_(database_.getHandle(), path, {}) {
    database_.exec("PRAGMA journal_mode=WAL");
    database_.exec("PRAGMA synchronous=FULL");
    database_.exec("PRAGMA foreign_keys=ON");
  }

  Status prepare() {
    SQLite::Transaction transaction(database_, SQLite::TransactionBehavior::IMMEDIATE);
    database_.exec(kTables);
    statements_.emplace(database_);
    const std::int64_t version = meta(kSchemaKey, 0);
    if (version > kSchemaVersion) {
      return fail(ErrorCode::kInvalid,
                  fmt::format("database {} was written by a newer hikae (schema {}, this one knows "
                              "{}); run that version, or restore an older copy",
                              database_.getFilename(), version, kSchemaVersion));
    }
    set_meta(kSchemaKey, kSchemaVersion);
    transaction.commit();
    return {};
  }

  Result<core::State> load() {
    SQLite::Transaction transaction(database_);
    core::Transition rows;
    SQLite::Statement query(database_, "SELECT kind, id, body FROM resource ORDER BY kind, id");
    while (query.executeStep()) {
      const std::string kind = query.getColumn(0).getString();
      const std::string id = query.getColumn(1).getString();
      const std::string body = query.getColumn(2).getString();
      if (Status status = storage::add_row(kind, id, body, rows); !status) {
        return tl::unexpected(status.error());
      }
    }
    core::State state;
    state.apply(rows, core::Revision(std::uint64_t(meta(kRevisionKey, 0))));
    return state;
  }

  Status commit(const std::vector<storage::RowChange>& changes, core::Revision expected,
                core::Revision to) {
    SQLite::Transaction transaction(database_, SQLite::TransactionBehavior::IMMEDIATE);
    const auto stored = core::Revision(std::uint64_t(meta(kRevisionKey, 0)));
    if (stored != expected) {
      return fail(ErrorCode::kConflict,
                  fmt::format("the stored state is at revision {}, not {}; read it again",
                              stored.value(), expected.value()));
    }
    const auto next = std::int64_t(to.value());
    for (const storage::RowChange& change : changes) {
      Use statement(change.removed ? statements_->remove : statements_->put);
      statement->bind(1, change.kind);
      statement->bind(2, change.id);
      if (!change.removed) {
        statement->bind(3, change.body);
        statement->bind(4, next);
      }
      statement->exec();
    }
    set_meta(kRevisionKey, next);
    transaction.commit();
    return {};
  }

  WriteAheadLog& log() { return log_; }

 private:
  std::int64_t meta(std::string_view key, std::int64_t otherwise) {
    Use query(statements_->meta);
    query->bind(1, std::string(key));
    return query->executeStep() ? query->getColumn(0).getInt64() : otherwise;
  }

  void set_meta(std::string_view key, std::int64_t value) {
    Use put(statements_->set_meta);
    put->bind(1, std::string(key));
    put->bind(2, value);
    put->exec();
  }

  SQLite::Database database_;
  std::optional<Statements> statements_;  // from prepare() on
  WriteAheadLog log_;
};

namespace {

// Opens the database on first use, then performs `work` on it, turning exceptions into errors.
template <class Connection, class F>
auto with_connection(std::unique_ptr<Connection>& connection, const std::string& path, F work)
    -> decltype(work(*connection)) {
  try {
    if (!connection) {
      if (Status made = make_private_file(path); !made) {
        return tl::unexpected(made.error());
      }
      auto opened = std::make_unique<Connection>(path);
      if (Status prepared = opened->prepare(); !prepared) {
        return tl::unexpected(prepared.error());
      }
      connection = std::move(opened);
    }
    return work(*connection);
  } catch (const SQLite::Exception& e) {
    return tl::unexpected(sqlite_error(e.getErrorCode(), e.what(), path));
  } catch (const std::exception& e) {
    return fail(ErrorCode::kInternal, fmt::format("database {}: {}", path, e.what()));
  }
}

}  // namespace

SqliteStore::SqliteStore(std::string path, std::function<void()> on_thread)
    : path_(std::move(path)) {
  if (on_thread) {
    boost::asio::post(pool_, std::move(on_thread));
  }
}

SqliteStore::~SqliteStore() {
  boost::asio::post(pool_, [this] {
    closing_ = true;
    quiet_.cancel();
  });
  pool_.join();
}

void SqliteStore::tidy_later() {
  if (closing_ || !connection_ || !connection_->log().is_untidy()) {
    return;
  }
  quiet_.expires_after(connection_->log().is_full() ? std::chrono::seconds(0) : kQuiet);
  quiet_.async_wait([this](boost::system::error_code error) {
    if (!error && !closing_) {
      connection_->log().tidy();
    }
  });
}

control::Awaitable<Result<core::State>> SqliteStore::load() {
  auto work = [this] {
    auto loaded = with_connection(connection_, path_, [](Connection& c) { return c.load(); });
    tidy_later();
    return loaded;
  };
  co_return co_await control::offload(pool_, std::move(work));
}

control::Awaitable<Status> SqliteStore::commit(core::Transition transition, core::Revision expected,
                                               std::optional<control::LeaderTerm>) {
  Rows rows;
  rows.reserve(transition.changes.size());
  for (const core::Change& change : transition.changes) {
    rows.push_back(storage::to_row(change));
  }
  return replace(std::move(rows), expected, expected.next());
}

control::Awaitable<Status> SqliteStore::restore(core::State state) {
  return replace(storage::to_rows(state), core::Revision(0), state.revision());
}

control::Awaitable<Status> SqliteStore::replace(Rows rows, core::Revision expected,
                                                core::Revision next) {
  auto work = [this, rows = std::move(rows), expected, next] {
    const Status committed = with_connection(
        connection_, path_, [&](Connection& c) { return c.commit(rows, expected, next); });
    tidy_later();
    return committed;
  };
  co_return co_await control::offload(pool_, std::move(work));
}

}  // namespace hikae::adapters
