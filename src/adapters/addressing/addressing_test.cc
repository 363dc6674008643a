#include <csignal>
#include <cstdlib>
#include <functional>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "adapters/addressing/interface_addresses.h"
#include "adapters/addressing/netlink.h"

namespace hikae::adapters {
namespace {

// Two machines on one network: network namespaces with a pair of virtual interfaces between them,
// `here` and `there`. They and all in them end with the processes that live in them.

struct NoLog final : control::Log {
  void info(std::string_view) override {}
  void warn(std::string_view) override {}
  void error(std::string_view) override {}
};

constexpr auto kPool = "10.99.0.10-10.99.0.20";

void sh(const std::string& command) {
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
}

template <class T>
T run(control::Awaitable<T> coroutine) {
  boost::asio::io_context context(1);
  std::optional<T> out;
  boost::asio::co_spawn(context, std::move(coroutine),
                        [&](std::exception_ptr, T value) { out.emplace(std::move(value)); });
  context.run();
  return std::move(*out);
}

std::vector<std::string> addresses_here() {
  std::vector<std::string> out;
  const auto all = list_addresses();
  for (const KernelAddress& one : all.value_or(std::vector<KernelAddress>())) {
    out.push_back(one.address.str());
  }
  return out;
}

// Runs `body` in a process of its own, in a network of its own; its failures are ours.
void in_a_network(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    const int flags = ::geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET;
    if (::unshare(flags) != 0) {
      std::fprintf(stderr, "this machine permits no network namespaces\n");
      ::_exit(2);
    }
    body();
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

// The other machine, with an address; ends when `stop` is closed.
class Neighbour {
 public:
  explicit Neighbour(const std::string& address) {
    int ready[2] = {-1, -1};
    EXPECT_EQ(::pipe(stop_), 0);
    EXPECT_EQ(::pipe(ready), 0);
    child_ = ::fork();
    if (child_ == 0) {
      ::close(stop_[1]);
      ::unshare(CLONE_NEWNET);
      char byte = 1;
      [[maybe_unused]] auto wrote = ::write(ready[1], &byte, 1);
      [[maybe_unused]] auto end = ::read(stop_[0], &byte, 1);
      ::_exit(0);
    }
    char byte = 0;
    EXPECT_EQ(::read(ready[0], &byte, 1), 1);
    ::close(ready[0]);
    ::close(ready[1]);
    sh(fmt::format("ip link add here type veth peer name there netns {}", child_));
    sh("ip link set here up");
    sh(fmt::format("nsenter -t {} -n sh -c 'ip link set there up && ip addr add {}/24 dev there'",
                   child_, address));
  }
  ~Neighbour() {
    ::close(stop_[0]);
    ::close(stop_[1]);
    ::waitpid(child_, nullptr, 0);
  }
  Neighbour(const Neighbour&) = delete;
  Neighbour& operator=(const Neighbour&) = delete;

 private:
  pid_t child_ = -1;
  int stop_[2] = {-1, -1};
};

TEST(InterfaceAddresses, AddsWhatIsNeededAndRemovesOnlyItsOwn) {
  in_a_network([] {
    const Neighbour neighbour("10.99.0.1");
    sh("ip addr add 10.99.0.11/24 dev here");  // the machine's own, though within the pool
    NoLog log;
    const auto pool = *AddressRange::parse(kPool);
    auto opened = InterfaceAddresses::open("here", {pool}, log);
    ASSERT_TRUE(opened) << opened.error().message;
    InterfaceAddresses& ours = **opened;
    for (const char* address : {"10.99.0.10", "10.99.0.12", "10.99.0.11", "10.99.0.10"}) {
      const auto held = run(ours.hold(*Ipv4::parse(address)));
      EXPECT_TRUE(held) << held.error().message;
    }
    EXPECT_EQ(addresses_here(),
              (std::vector<std::string>{"10.99.0.11", "10.99.0.10", "10.99.0.12"}));
    // A later run of the agent knows them again.
    auto again = InterfaceAddresses::open("here", {pool}, log);
    ASSERT_TRUE(again);
    (*again)->keep_only({*Ipv4::parse("10.99.0.12")});
    EXPECT_EQ(addresses_here(), (std::vector<std::string>{"10.99.0.11", "10.99.0.12"}));
    EXPECT_TRUE(can_bind({AddressRange{*Ipv4::parse("10.99.0.11"), *Ipv4::parse("10.99.0.12")}}));
    EXPECT_FALSE(can_bind({pool}));
    EXPECT_EQ(run(ours.hold(*Ipv4::parse("10.99.0.21"))).error().code, ErrorCode::kInvalid);
  });
}

TEST(InterfaceAddresses, AnAddressOfAnotherMachineIsNotTaken) {
  in_a_network([] {
    const Neighbour neighbour("10.99.0.15");
    NoLog log;
    auto opened = InterfaceAddresses::open("here", {*AddressRange::parse(kPool)}, log);
    ASSERT_TRUE(opened);
    const auto held = run((*opened)->hold(*Ipv4::parse("10.99.0.15")));
    ASSERT_FALSE(held);
    EXPECT_EQ(held.error().code, ErrorCode::kConflict);
    EXPECT_NE(held.error().message.find("belongs to another machine"), std::string::npos)
        << held.error().message;
    EXPECT_TRUE(addresses_here().empty());
  });
}

TEST(InterfaceAddresses, AMissingInterfaceIsNamed) {
  NoLog log;
  const auto opened = InterfaceAddresses::open("no-such-one", {}, log);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kNotFound);
}

TEST(InterfaceAddresses, LoopbackCanBeBound) {
  EXPECT_TRUE(can_bind({*AddressRange::parse("127.99.1.1-127.99.1.9")}));
}

}  // namespace
}  // namespace hikae::adapters
