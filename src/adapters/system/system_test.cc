#include <chrono>
#include <filesystem>
#include <netinet/in.h>
#include <set>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "adapters/system/data_directory.h"
#include "adapters/system/files.h"
#include "adapters/system/probe.h"
#include "adapters/system/proc.h"
#include "adapters/system/real_clock.h"
#include "adapters/system/system_random.h"

namespace hikae::adapters {
namespace {

namespace fs = std::filesystem;
using Protocol = ListeningSocket::Protocol;

class SystemTest : public testing::Test {
 protected:
  SystemTest() {
    std::string name = (fs::temp_directory_path() / "hikae-system-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
  }
  ~SystemTest() override { fs::remove_all(root_); }
  std::string path(const char* name) const { return root_ / name; }
  static unsigned mode(const std::string& file) {
    struct stat info = {};
    return ::stat(file.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
  }

 private:
  fs::path root_;
};

TEST_F(SystemTest, TheDirectoryHasOneOwnerAtATime) {
  auto first = DataDirectory::open(path("a/b/data"));
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(mode(first->path()), ::geteuid() == 0 ? 0711u : 0700u);
  EXPECT_EQ(lock_holder(path("a/b/data")), ::getpid());
  const auto second = DataDirectory::open(path("a/b/data"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  EXPECT_NE(second.error().message.find("pid " + std::to_string(::getpid())), std::string::npos)
      << second.error().message;
  {
    DataDirectory moved = std::move(*first);
  }
  EXPECT_EQ(lock_holder(path("a/b/data")), std::nullopt);
  EXPECT_TRUE(DataDirectory::open(path("a/b/data")));
}

// What a hikae leaves that is killed between the fork and the exec of an engine.
TEST_F(SystemTest, ALockWhoseOwnerIsDeadIsWaitedFor) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t owner = ::fork();
  if (owner == 0) {
    const auto held = DataDirectory::open(path("data"));
    if (::fork() == 0) {  // inherits the lock
      ::close(ends[1]);
      char byte = 0;
      [[maybe_unused]] const ssize_t size = ::read(ends[0], &byte, 1);  // until the parent closes
    }
    ::_exit(held ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(owner, &status, 0), owner);
  ASSERT_EQ(status, 0);
  EXPECT_EQ(lock_holder(path("data")), std::nullopt);
  std::thread release([&ends] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    ::close(ends[1]);
  });
  EXPECT_TRUE(DataDirectory::open(path("data")));
  release.join();
  ::close(ends[0]);
}

TEST_F(SystemTest, NobodyHoldsADirectoryThatIsNotThere) {
  EXPECT_EQ(lock_holder(path("nothing")), std::nullopt);
  EXPECT_FALSE(fs::exists(path("nothing")));
}

TEST_F(SystemTest, SecretsAreDrawnOnceAndPrivate) {
  SystemRandom random;
  auto directory = DataDirectory::open(path("data"));
  ASSERT_TRUE(directory);
  const auto secret = directory->region_secret(random);
  ASSERT_TRUE(secret);
  EXPECT_EQ(secret->size(), 32u);
  EXPECT_EQ(*directory->region_secret(random), *secret);
  EXPECT_EQ(mode(path("data/secret")), 0600u);

  EXPECT_EQ(read_credentials(path("data")).error().code, ErrorCode::kNotFound);
  const auto key = directory->credentials(random);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->access_key_id.size(), 20u);
  EXPECT_EQ(key->access_key_id.substr(0, 4), "HKIA");
  EXPECT_EQ(key->secret_access_key.size(), 40u);
  EXPECT_EQ(mode(path("data/credentials")), 0600u);
  const auto again = read_credentials(path("data"));
  EXPECT_EQ(again->access_key_id, key->access_key_id);
  EXPECT_EQ(again->secret_access_key, key->secret_access_key);
}

TEST_F(SystemTest, DamagedSecretsAreNotReplacedSilently) {
  SystemRandom random;
  auto directory = DataDirectory::open(path("data"));
  ASSERT_TRUE(directory);
  ASSERT_TRUE(write_file(path("data/secret"), "short", 0600));
  EXPECT_EQ(directory->region_secret(random).error().code, ErrorCode::kInvalid);
  ASSERT_TRUE(write_file(path("data/credentials"), "[default]\n", 0600));
  EXPECT_EQ(directory->credentials(random).error().code, ErrorCode::kInvalid);
}

TEST_F(SystemTest, AFileIsReplacedAsAWhole) {
  ASSERT_TRUE(write_file(path("f"), "one", 0644));
  ASSERT_TRUE(write_file(path("f"), "two", 0600));
  EXPECT_EQ(*read_file(path("f")), "two");
  EXPECT_EQ(mode(path("f")), 0600u);
  EXPECT_EQ(std::distance(fs::directory_iterator(fs::path(path("f")).parent_path()), {}), 1);
  EXPECT_EQ(read_file(path("missing")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(write_file(path("no/such/f"), "x", 0600).error().code, ErrorCode::kNotFound);
}

TEST(Proc, ReadsListeningLinesOnly) {
  const char* text =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
      "inode\n"
      "   0: 0100007F:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
      "4711 1 0000000000000000 100 0 0 10 0\n"
      "   1: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
      "4712 1 0000000000000000 100 0 0 10 0\n"
      "   2: 0100007F:18EB 0100007F:9000 01 00000000:00000000 00:00000000 00000000     0        0 "
      "4713 1 0000000000000000 100 0 0 10 0\n"
      "   garbage\n";
  const auto sockets = parse_proc_net(text, Protocol::kTcp, false);
  ASSERT_EQ(sockets.size(), 2u);
  EXPECT_EQ(sockets[0].address.str(), "127.0.0.1");
  EXPECT_EQ(sockets[0].port, 6379);
  EXPECT_EQ(sockets[0].inode, 4711u);
  EXPECT_FALSE(sockets[0].wildcard);
  EXPECT_TRUE(sockets[1].wildcard);
  EXPECT_EQ(sockets[1].port, 8080);
}

TEST(Proc, FindsOurOwnListenerAndItsProgram) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where = {};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&where), sizeof where), 0);
  ASSERT_EQ(::listen(fd, 1), 0);
  ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&where), &size), 0);
  const std::uint16_t port = ntohs(where.sin_port);
  const Ipv4 loopback(INADDR_LOOPBACK);
  EXPECT_EQ(probe_bind(Protocol::kTcp, loopback, port).error().code, ErrorCode::kConflict);
  const std::string owner = port_holder(Protocol::kTcp, loopback, port);
  EXPECT_NE(owner.find("(pid " + std::to_string(::getpid()) + ")"), std::string::npos) << owner;
  EXPECT_EQ(port_holder(Protocol::kUdp, loopback, port), "");
  ::close(fd);
  EXPECT_TRUE(probe_bind(Protocol::kTcp, loopback, port));
  EXPECT_EQ(port_holder(Protocol::kTcp, loopback, port), "");
}

TEST(Proc, AWildcardListenerIsInTheWayOfEveryNode) {
  ListeningSocket everywhere;
  everywhere.wildcard = true;
  everywhere.port = 6379;
  ListeningSocket loopback;
  loopback.address = *Ipv4::parse("127.0.0.1");
  loopback.port = 6379;
  ListeningSocket ipv6 = everywhere;
  ipv6.ipv6 = true;
  ListeningSocket datagrams = everywhere;
  datagrams.protocol = Protocol::kUdp;
  const std::vector<ListeningSocket> all = {everywhere, loopback, ipv6, datagrams};
  EXPECT_EQ(sockets_in_the_way(all, Protocol::kTcp, Ipv4(), 6379).size(), 2u);
  EXPECT_EQ(sockets_in_the_way(all, Protocol::kTcp, loopback.address, 6379).size(), 3u);
  EXPECT_TRUE(sockets_in_the_way({loopback}, Protocol::kTcp, Ipv4(), 6379).empty());
  EXPECT_TRUE(sockets_in_the_way(all, Protocol::kTcp, Ipv4(), 6380).empty());
}

TEST(Proc, FindsThisProcessWithItsDirectory) {
  bool found = false;
  for (const RunningProcess& process : running_processes()) {
    if (process.pid == ::getpid()) {
      found = true;
      EXPECT_EQ(process.working_directory, fs::current_path().string());
      EXPECT_FALSE(process.name.empty());
    }
  }
  EXPECT_TRUE(found);
}

TEST(SystemRandom, DrawsDiffer) {
  SystemRandom a;
  SystemRandom b;
  std::set<std::uint64_t> drawn;
  for (int i = 0; i < 100; ++i) {
    drawn.insert(a.next());
    drawn.insert(b.next());
  }
  EXPECT_EQ(drawn.size(), 200u);
}

control::Awaitable<void> measure(RealClock& clock, Duration& waited) {
  const Monotonic before = clock.monotonic();
  co_await clock.sleep_for(std::chrono::milliseconds(20));
  waited = clock.monotonic() - before;
}

TEST(RealClock, SleepsNotShorterThanAsked) {
  boost::asio::io_context context(1);
  RealClock clock;
  Duration waited{};
  boost::asio::co_spawn(context, measure(clock, waited), boost::asio::detached);
  context.run();
  EXPECT_GE(waited, std::chrono::milliseconds(20));
  EXPECT_GT(clock.now(), *parse_iso8601("2024-01-01T00:00:00Z"));
}

}  // namespace
}  // namespace hikae::adapters
