#pragma once

#include <csignal>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "adapters/process/linux_process_runner.h"
#include "adapters/process/test_support.h"

namespace hikae::adapters {

inline const core::NodeKey kNode{core::CacheClusterId("foo-001"), core::NodeId("0001")};

// A runner with one node, whose processes are killed at the end.
class RunnerFixture : public ::testing::Test {
 protected:
  void SetUp() override { open(); }
  void TearDown() override {
    for (const control::Process& process : started_) {
      (void)runner_->signal(process, SIGKILL);
      run(io_, runner_->wait_exit(process));
    }
  }
  void open() {
    runner_.reset();
    LinuxProcessRunner::Options options;
    options.root = root_;
    options.log_bytes = 100;
    auto opened = LinuxProcessRunner::open(options);
    ASSERT_TRUE(opened) << opened.error().message;
    runner_ = std::move(*opened);
  }
  control::LaunchSpec shell(std::string script) {
    control::LaunchSpec spec;
    spec.node = kNode;
    spec.program = "/bin/sh";
    spec.arguments = {"-c", std::move(script)};
    return spec;
  }
  control::Process start(control::LaunchSpec spec) {
    const auto started = run(io_, runner_->start(std::move(spec)));
    EXPECT_TRUE(started && *started) << (started ? started->error().message : "no answer");
    const control::Process process = started && *started ? **started : control::Process{};
    started_.push_back(process);
    return process;
  }
  // Starts the script and waits for its end.
  void run_script(control::LaunchSpec spec) {
    const control::Process process = start(std::move(spec));
    EXPECT_TRUE(run(io_, runner_->wait_exit(process)));
  }
  std::string file(const std::string& name) {
    std::ifstream in(directory_ + "/" + name);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }

  TemporaryDirectory temporary_;
  std::string root_ = temporary_.path() + "/nodes/host-a";
  std::string directory_ = root_ + "/foo-001/0001";
  boost::asio::io_context io_{1};
  std::unique_ptr<LinuxProcessRunner> runner_;
  std::vector<control::Process> started_;
};

}  // namespace hikae::adapters
