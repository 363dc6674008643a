#include "adapters/lease_memory/lease_memory.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

#include <gtest/gtest.h>

namespace hikae::adapters {
namespace {

using Fence = control::FenceLeases::Fence;
using Lease = control::FenceLeases::Lease;

const core::NodeKey kNode{core::CacheClusterId("foo-001"), core::NodeId("0001")};

class LeaseMemoryTest : public ::testing::Test {
 protected:
  LeaseMemoryTest() {
    std::string name = ::testing::TempDir() + "leases-XXXXXX";
    directory_ = ::mkdtemp(name.data());
  }
  ~LeaseMemoryTest() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<LeaseMemory> open(const std::string& name = "d") {
    return std::move(*LeaseMemory::open({directory_, name}));
  }
  // What an engine that has the file open reads.
  static std::pair<std::uint64_t, std::int64_t> read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::pair<std::uint64_t, std::int64_t> out;
    file.read(reinterpret_cast<char*>(&out.first), sizeof(out.first));
    file.read(reinterpret_cast<char*>(&out.second), sizeof(out.second));
    EXPECT_TRUE(file);
    return out;
  }

  std::string directory_;
};

TEST_F(LeaseMemoryTest, BeginsWithoutALease) {
  const auto leases = open();
  EXPECT_FALSE(leases->get(kNode));
  const std::string path = *leases->path(kNode);
  EXPECT_EQ(read(path), std::pair(std::uint64_t(0), std::int64_t(0)));
  struct stat info = {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0644U) << "engines run as another user, and only read it";
}

TEST_F(LeaseMemoryTest, AnEngineReadsWhatIsSet) {
  const auto leases = open();
  const std::string path = *leases->path(kNode);
  ASSERT_TRUE(leases->set(kNode, Lease{core::Epoch(7), Monotonic(123)}));
  EXPECT_EQ(read(path), std::pair(std::uint64_t(7), std::int64_t(123)));
  ASSERT_TRUE(leases->set(kNode, {}));
  EXPECT_EQ(read(path).first, 0U);
}

TEST_F(LeaseMemoryTest, OutlivesTheAgent) {
  auto leases = open();
  ASSERT_TRUE(leases->set(kNode, Lease{core::Epoch(7), Monotonic(123)}));
  leases = open();
  EXPECT_EQ(leases->get(kNode)->until, Monotonic(123));
  EXPECT_EQ(read(*leases->path(kNode)).first, 7U) << "as it was";
  EXPECT_FALSE(open("another agent of the machine")->get(kNode));
  leases->remove(kNode);
  EXPECT_FALSE(leases->get(kNode));
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
}

TEST_F(LeaseMemoryTest, SaysWhichFenceWasSetLast) {
  auto leases = open();
  EXPECT_EQ(leases->fence(kNode), Fence::kModule);
  EXPECT_TRUE(std::filesystem::is_empty(directory_)) << "a question makes nothing";
  ASSERT_TRUE(leases->set_fence(kNode, Fence::kKeeper));
  ASSERT_TRUE(leases->set(kNode, Lease{core::Epoch(7), Monotonic(123)}));
  leases = open();
  ASSERT_TRUE(leases->path(kNode));
  EXPECT_EQ(leases->fence(kNode), Fence::kKeeper) << "outlives the agent";
  ASSERT_TRUE(leases->set_fence(kNode, Fence::kModule));
  EXPECT_EQ(leases->fence(kNode), Fence::kModule);
  EXPECT_EQ(leases->get(kNode)->until, Monotonic(123)) << "the lease is as it was";
  ASSERT_TRUE(leases->set_fence(kNode, Fence::kKeeper));
  leases->remove(kNode);
  EXPECT_EQ(leases->fence(kNode), Fence::kModule);
}

TEST_F(LeaseMemoryTest, AFileOfAnEarlierVersionIsOfTheModule) {
  const std::pair<std::uint64_t, std::int64_t> words(7, 123);
  std::ofstream(directory_ + "/hikae-d-foo-001-0001", std::ios::binary)
      .write(reinterpret_cast<const char*>(&words.first), sizeof(words.first))
      .write(reinterpret_cast<const char*>(&words.second), sizeof(words.second));
  auto leases = open();
  EXPECT_EQ(leases->fence(kNode), Fence::kModule);
  EXPECT_EQ(leases->get(kNode)->epoch, core::Epoch(7));
  ASSERT_TRUE(leases->set_fence(kNode, Fence::kKeeper));
  EXPECT_EQ(read(*leases->path(kNode)), words);
  leases = open();
  EXPECT_EQ(leases->fence(kNode), Fence::kKeeper);
}

TEST_F(LeaseMemoryTest, AllOfOneAgentAreRemovedTogether) {
  auto leases = open();
  ASSERT_TRUE(leases->set(kNode, Lease{core::Epoch(7), Monotonic(123)}));
  leases = open("d2");
  ASSERT_TRUE(leases->set(kNode, Lease{core::Epoch(8), Monotonic(123)}));
  LeaseMemory::remove_all({directory_, "d"});
  EXPECT_FALSE(open("d")->get(kNode));
  EXPECT_EQ(open("d2")->get(kNode)->epoch, core::Epoch(8));
}

TEST_F(LeaseMemoryTest, WhatIsNotOursIsNotUsed) {
  const auto leases = open();
  std::ofstream(directory_ + "/elsewhere") << "precious";
  std::filesystem::create_symlink(directory_ + "/elsewhere", directory_ + "/hikae-d-foo-001-0001");
  EXPECT_FALSE(leases->set(kNode, Lease{core::Epoch(7), Monotonic(123)}));
  EXPECT_FALSE(leases->path(kNode));
  EXPECT_FALSE(LeaseMemory::open({directory_ + "/missing", "d"}));
}

}  // namespace
}  // namespace hikae::adapters
