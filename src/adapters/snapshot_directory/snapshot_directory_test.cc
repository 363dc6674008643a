#include "adapters/snapshot_directory/snapshot_directory.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sys/resource.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "base/testing/temporary_directory.h"
#include "codec/rdb/crc64.h"

namespace hikae::adapters {
namespace {

namespace fs = std::filesystem;

std::string rdb(const std::string& data) {
  std::string body = "REDIS0011" + data + "\xff";
  const std::uint64_t crc = codec::rdb::crc64(0, body);
  for (int i = 0; i < 8; ++i) {
    body += char(std::uint8_t(crc >> (8 * i)));
  }
  return body;
}

class SnapshotDirectoryTest : public ::testing::Test {
 protected:
  SnapshotDirectoryTest() {
    auto opened = SnapshotDirectory::open({root_ + "/snapshots", root_ + "/buckets"});
    EXPECT_TRUE(opened);
    files_ = std::move(*opened);
    fs::create_directories(root_ + "/buckets/mine");
  }

  template <class T>
  T wait(control::Awaitable<T> operation) {
    boost::asio::io_context io{1};
    std::optional<T> out;
    boost::asio::co_spawn(io, std::move(operation), [&](std::exception_ptr thrown, T result) {
      EXPECT_EQ(thrown, nullptr);
      out = std::move(result);
    });
    io.run();
    return std::move(*out);
  }
  std::string write(const std::string& name, const std::string& content) {
    std::ofstream(root_ + "/" + name, std::ios::binary) << content;
    return root_ + "/" + name;
  }
  std::string read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
  std::set<std::string> listed() {
    std::set<std::string> out;
    for (const auto& entry : fs::directory_iterator(root_ + "/snapshots")) {
      out.insert(entry.path().filename().string());
    }
    return out;
  }

  TemporaryDirectory directory_;
  const std::string root_ = directory_.path();
  std::unique_ptr<SnapshotDirectory> files_;
};

TEST_F(SnapshotDirectoryTest, TakesAWholeFileOver) {
  const std::string from = write("dump.rdb", rdb("abc"));
  const auto taken = wait(files_->take_over(from, "a.rdb"));
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(taken->bytes, rdb("abc").size());
  EXPECT_EQ(taken->format, 11);
  EXPECT_EQ(read(files_->path("a.rdb")), rdb("abc"));
  EXPECT_FALSE(fs::exists(from));
  EXPECT_EQ(fs::status(files_->path("a.rdb")).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(wait(files_->check("a.rdb"))->checksum, taken->checksum);
}

TEST_F(SnapshotDirectoryTest, ADamagedFileLeavesNothing) {
  std::string damaged = rdb("abc");
  damaged[10] = 'X';
  const auto taken = wait(files_->take_over(write("dump.rdb", damaged), "a.rdb"));
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(listed(), std::set<std::string>());
}

TEST_F(SnapshotDirectoryTest, ALinkIsNotFollowed) {
  const std::string target = write("secret", rdb("abc"));
  fs::create_symlink(target, root_ + "/dump.rdb");
  EXPECT_FALSE(wait(files_->take_over(root_ + "/dump.rdb", "a.rdb")));
  EXPECT_EQ(read(target), rdb("abc"));
}

TEST_F(SnapshotDirectoryTest, CopiesAndRemoves) {
  ASSERT_TRUE(wait(files_->take_over(write("dump.rdb", rdb("abc")), "a.rdb")));
  ASSERT_TRUE(wait(files_->copy("a.rdb", "b.rdb")));
  EXPECT_EQ(read(files_->path("b.rdb")), rdb("abc"));
  ASSERT_TRUE(wait(files_->remove("a.rdb")));
  ASSERT_TRUE(wait(files_->remove("a.rdb")));
  EXPECT_EQ(listed(), std::set<std::string>({"b.rdb"}));
  EXPECT_EQ(wait(files_->copy("a.rdb", "c.rdb")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(wait(files_->check("a.rdb")).error().code, ErrorCode::kNotFound);
}

TEST_F(SnapshotDirectoryTest, PutsIntoABucketAndFetchesFromIt) {
  ASSERT_TRUE(wait(files_->take_over(write("dump.rdb", rdb("abc")), "a.rdb")));
  const control::BucketObject object{"mine", "some/key.rdb"};
  ASSERT_TRUE(wait(files_->may_put(object)));
  ASSERT_TRUE(wait(files_->put("a.rdb", object)));
  EXPECT_EQ(read(root_ + "/buckets/mine/some/key.rdb"), rdb("abc"));
  EXPECT_EQ(wait(files_->may_put(object)).error().code, ErrorCode::kConflict);
  // After a crash the same is put once more.
  EXPECT_TRUE(wait(files_->put("a.rdb", object)));
  ASSERT_TRUE(wait(files_->take_over(write("dump.rdb", rdb("other")), "b.rdb")));
  EXPECT_EQ(wait(files_->put("b.rdb", object)).error().code, ErrorCode::kConflict);
  ASSERT_TRUE(wait(files_->fetch(object, "c.rdb")));
  EXPECT_EQ(read(files_->path("c.rdb")), rdb("abc"));
}

TEST_F(SnapshotDirectoryTest, NoNameLeadsOutOfABucket) {
  write("outside.rdb", rdb("abc"));
  for (const auto& [bucket, key] : std::map<std::string, std::string>{
           {"..", "outside.rdb"}, {"mine", "../../outside.rdb"}, {"mine/..", "x"}, {"", "x"}}) {
    EXPECT_EQ(wait(files_->fetch({bucket, key}, "c.rdb")).error().code, ErrorCode::kInvalid) << key;
    EXPECT_FALSE(wait(files_->put("a.rdb", {bucket, key}))) << key;
  }
  EXPECT_EQ(wait(files_->fetch({"nobodys", "x"}, "c.rdb")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(wait(files_->fetch({"mine", "x"}, "c.rdb")).error().code, ErrorCode::kNotFound);
}

TEST_F(SnapshotDirectoryTest, SweepsWhatNobodyNeeds) {
  for (const char* name : {"a.rdb", "b.rdb", "c.rdb.tmp"}) {
    write(std::string("snapshots/") + name, rdb(name));
  }
  ASSERT_TRUE(wait(files_->sweep({"a.rdb"}, std::chrono::hours(1))));
  EXPECT_EQ(listed().size(), 3u);
  ASSERT_TRUE(wait(files_->sweep({"a.rdb"}, Duration())));
  EXPECT_EQ(listed(), std::set<std::string>({"a.rdb"}));
}

TEST_F(SnapshotDirectoryTest, StopsEarly) {
  const std::string from = write("dump.rdb", rdb("abc"));
  files_->stop();
  EXPECT_EQ(wait(files_->take_over(from, "a.rdb")).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(listed(), std::set<std::string>());
}

// A limit for the size of files takes the place of a full disk.
TEST_F(SnapshotDirectoryTest, AFileThatCannotBeWrittenWholeIsNotThere) {
  ASSERT_TRUE(wait(files_->take_over(write("dump.rdb", rdb(std::string(5000, 'x'))), "a.rdb")));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 1000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto copied = wait(files_->copy("a.rdb", "b.rdb"));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, old_handler);
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kExhausted);
  EXPECT_EQ(listed(), std::set<std::string>({"a.rdb"}));
}

}  // namespace
}  // namespace hikae::adapters
