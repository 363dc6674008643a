#include "adapters/store_sqlite/sqlite_store.h"

#include <filesystem>
#include <optional>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <SQLiteCpp/Database.h>
#include <gtest/gtest.h>

#include "base/testing/temporary_directory.h"
#include "control/store_contract_test_suite.h"

namespace hikae::control {
namespace {

struct SqliteHarness {
  TemporaryDirectory directory;
  std::optional<adapters::SqliteStore> store;
  Store& open() {
    store.reset();
    return store.emplace(directory.path() + "/state.db");
  }
};

INSTANTIATE_TYPED_TEST_SUITE_P(SqliteStore, StoreContract, SqliteHarness);

core::Transition put_event(std::uint64_t number) {
  core::Event event;
  event.id = core::Event::Key(number);
  event.message = std::string(500, 'x');
  core::Transition transition;
  transition.put(event);
  return transition;
}

TEST(SqliteStore, TheFileIsItsOwnersAlone) {
  SqliteHarness harness;
  boost::asio::io_context context(1);
  ASSERT_TRUE(run_to_end(context, harness.open().commit(put_event(1), core::Revision(0))));
  for (const char* name : {"state.db", "state.db-wal"}) {
    struct stat info = {};
    ASSERT_EQ(::stat((harness.directory.path() + "/" + name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 0777, 0600u) << name;
  }
}

TEST(SqliteStore, ANewerSchemaIsRefused) {
  SqliteHarness harness;
  boost::asio::io_context context(1);
  ASSERT_TRUE(run_to_end(context, harness.open().load()));
  harness.store.reset();
  SQLite::Database database(harness.directory.path() + "/state.db", SQLite::OPEN_READWRITE);
  database.exec("UPDATE meta SET value = 99 WHERE key = 'schema_version'");
  const auto state = run_to_end(context, harness.open().load());
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, ErrorCode::kInvalid);
  EXPECT_NE(state.error().message.find("newer hikae (schema 99"), std::string::npos)
      << state.error().message;
}

TEST(SqliteStore, AFileThatIsNoDatabaseIsRefused) {
  SqliteHarness harness;
  const std::string path = harness.directory.path() + "/state.db";
  FILE* file = ::fopen(path.c_str(), "w");
  ASSERT_NE(file, nullptr);
  ::fputs(std::string(4096, 'z').c_str(), file);
  ::fclose(file);
  boost::asio::io_context context(1);
  const auto state = run_to_end(context, harness.open().load());
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, ErrorCode::kInvalid) << state.error().message;
}

TEST(SqliteStore, AMissingDirectoryIsNamed) {
  TemporaryDirectory directory;
  boost::asio::io_context context(1);
  adapters::SqliteStore store(directory.path() + "/no/such/directory.db");
  EXPECT_EQ(run_to_end(context, store.load()).error().code, ErrorCode::kNotFound);
}

// In a child with a limit on file sizes, so that writing fails on the way: 0 when the failing
// commit was refused and changed nothing.
[[noreturn]] void commit_beyond_the_limit(const std::string& path) {
  ::signal(SIGXFSZ, SIG_IGN);
  boost::asio::io_context context(1);
  adapters::SqliteStore sqlite(path);
  Store& store = sqlite;
  const bool first = run_to_end(context, store.commit(put_event(1), core::Revision(0))).has_value();
  const struct rlimit limit = {256 * 1024, 256 * 1024};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  core::Transition large;
  for (std::uint64_t number = 2; number < 2'000; ++number) {
    large.changes.push_back(put_event(number).changes.front());
  }
  const bool second = run_to_end(context, store.commit(large, core::Revision(1))).has_value();
  const auto state = run_to_end(context, store.load());
  const bool kept = state && state->revision() == core::Revision(1);
  ::_exit(first && !second && kept ? 0 : 1);
}

TEST(SqliteStore, AFailedWriteIsRefusedAndKeepsTheState) {
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/state.db";
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    commit_beyond_the_limit(path);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  boost::asio::io_context context(1);
  adapters::SqliteStore store(path);
  const auto state = run_to_end(context, store.load());
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_EQ(state->revision(), core::Revision(1));
  EXPECT_EQ(state->all<core::Event>().size(), 1u);
}

// The child's whole life: commits without end, and tells every acknowledged revision.
[[noreturn]] void commit_until_killed(const std::string& path, int acknowledged) {
  boost::asio::io_context context(1);
  adapters::SqliteStore sqlite(path);
  Store& store = sqlite;
  auto state = run_to_end(context, store.load());
  for (std::uint64_t revision = state->revision().value();; ++revision) {
    const Status status =
        run_to_end(context, store.commit(put_event(revision + 1), core::Revision(revision)));
    const std::uint64_t committed = revision + 1;
    if (!status || ::write(acknowledged, &committed, sizeof committed) != sizeof committed) {
      ::_exit(1);
    }
  }
}

TEST(SqliteStore, EveryAcknowledgedRevisionSurvivesKill9) {
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/state.db";
  constexpr std::uint64_t kRounds = 5;
  constexpr std::uint64_t kCommitsBeforeKill = 20;
  std::uint64_t last = 0;
  for (std::uint64_t round = 1; round <= kRounds; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(pipe_ends[0]);
      commit_until_killed(path, pipe_ends[1]);
    }
    ::close(pipe_ends[1]);
    const std::uint64_t target = last + kCommitsBeforeKill;
    while (last < target) {
      ASSERT_EQ(::read(pipe_ends[0], &last, sizeof last), ssize_t(sizeof last));
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    std::uint64_t late = 0;
    while (::read(pipe_ends[0], &late, sizeof late) == ssize_t(sizeof late)) {
      last = late;
    }
    ::close(pipe_ends[0]);

    boost::asio::io_context context(1);
    adapters::SqliteStore store(path);
    const auto state = run_to_end(context, store.load());
    ASSERT_TRUE(state) << state.error().message;
    // One more than acknowledged may be there: killed between the disk and the answer.
    EXPECT_GE(state->revision().value(), last);
    EXPECT_LE(state->revision().value(), last + 1);
    EXPECT_EQ(state->all<core::Event>().size(), state->revision().value());
    last = state->revision().value();
  }
}

}  // namespace
}  // namespace hikae::control
