#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <memory>
#include <netinet/in.h>
#include <string>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "adapters/store_etcd/etcd_client.h"
#include "base/random.h"
#include "base/testing/temporary_directory.h"
#include "control/store_test_support.h"

// For tests only: a real etcd cluster of the test's own, on free ports of 127.0.0.1, in a directory
// that goes with it.

namespace hikae::etcd {

class EtcdTestCluster {
 public:
  explicit EtcdTestCluster(int members) {
    for (int i = 0; i < members; ++i) {
      members_.push_back(Member{free_port(), free_port(), -1});
    }
    for (int i = 0; i < members; ++i) {
      start(i);
    }
    wait_until_it_answers();
  }

  ~EtcdTestCluster() {
    for (int i = 0; i < int(members_.size()); ++i) {
      kill(i);
    }
  }
  EtcdTestCluster(const EtcdTestCluster&) = delete;
  EtcdTestCluster& operator=(const EtcdTestCluster&) = delete;

  void start(int member) {
    const std::vector<std::string> words = command(member);
    std::vector<char*> arguments;
    for (const std::string& word : words) {
      arguments.push_back(const_cast<char*>(word.c_str()));
    }
    arguments.push_back(nullptr);
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const int log = ::open(fmt::format("{}/log{}", directory_.path(), member).c_str(),
                             O_WRONLY | O_CREAT | O_APPEND, 0600);
      ::dup2(log, 1);
      ::dup2(log, 2);
      ::execvp("etcd", arguments.data());
      ::_exit(127);
    }
    members_[member].pid = pid;
  }

  void kill(int member) {
    const pid_t pid = std::exchange(members_[member].pid, -1);
    if (pid > 0) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
  }

  EtcdOptions options(const std::string& prefix) const {
    EtcdOptions options;
    for (const Member& member : members_) {
      options.endpoints.push_back(net::Peer{"127.0.0.1", member.client_port});
    }
    options.prefix = prefix;
    return options;
  }

  // A prefix that no test had before.
  std::string fresh_prefix() { return fmt::format("/test/{}", ++prefixes_); }

  // Until a majority answers; fails the test otherwise.
  void wait_until_it_answers() {
    boost::asio::io_context context(1);
    EtcdClient client(options("/"));
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    for (;;) {
      RangeRequest request;
      request.key = "/";
      const auto answer =
          control::run_to_end(context, client.range(std::move(request), std::chrono::seconds(1)));
      if (answer) {
        return;
      }
      if (std::chrono::steady_clock::now() > limit) {
        ADD_FAILURE() << "etcd does not answer: " << answer.error().message;
        return;
      }
    }
  }

 private:
  struct Member {
    std::uint16_t client_port;
    std::uint16_t peer_port;
    pid_t pid;
  };

  static std::uint16_t free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    const bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
                       ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0;
    EXPECT_TRUE(bound);
    ::close(fd);
    return ntohs(address.sin_port);
  }

  std::vector<std::string> command(int member) const {
    std::string all;
    for (int i = 0; i < int(members_.size()); ++i) {
      all += fmt::format("{}m{}=http://127.0.0.1:{}", i == 0 ? "" : ",", i, members_[i].peer_port);
    }
    const std::string client = fmt::format("http://127.0.0.1:{}", members_[member].client_port);
    const std::string peer = fmt::format("http://127.0.0.1:{}", members_[member].peer_port);
    return {"etcd",
            "--name",
            fmt::format("m{}", member),
            "--data-dir",
            fmt::format("{}/m{}", directory_.path(), member),
            "--listen-client-urls",
            client,
            "--advertise-client-urls",
            client,
            "--listen-peer-urls",
            peer,
            "--initial-advertise-peer-urls",
            peer,
            "--initial-cluster",
            all,
            "--heartbeat-interval",
            "50",
            "--election-timeout",
            "500"};
  }

  TemporaryDirectory directory_;
  std::vector<Member> members_;
  int prefixes_ = 0;
};

// Clusters that all tests of the program share.
inline EtcdTestCluster& one_member() {
  static EtcdTestCluster cluster(1);
  return cluster;
}
inline EtcdTestCluster& three_members() {
  static EtcdTestCluster cluster(3);
  return cluster;
}

}  // namespace hikae::etcd
