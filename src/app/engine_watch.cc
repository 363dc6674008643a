#include "app/engine_watch.h"

#include <chrono>

#include <fmt/format.h>

#include "app/programs.h"

namespace hikae::app {
namespace {

// Packages are upgraded on some days of a year.
constexpr auto kPeriod = std::chrono::seconds(5);

std::string describe(const engine::InstalledEngines::List& engines) {
  std::string out;
  for (const engine::InstalledEngine& one : engines) {
    out +=
        fmt::format("{}{} {} ({})", out.empty() ? "" : ", ", one.engine, one.version, one.program);
  }
  return out.empty() ? "none" : out;
}

}  // namespace

EngineWatch::EngineWatch(std::vector<std::string> configured, control::Log& log)
    : configured_(std::move(configured)),
      log_(log),
      fingerprint_(engines_fingerprint(configured_)) {
  engines_ = std::make_shared<engine::InstalledEngines>(find_engines(configured_));
}

EngineWatch::~EngineWatch() {
  if (!thread_.joinable()) {
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  ended_.notify_all();
  thread_.join();
}

void EngineWatch::start() {
  thread_ = std::thread([this] { watch(); });
}

void EngineWatch::watch() {
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, kPeriod, [this] { return ending_; })) {
    lock.unlock();
    look();
    lock.lock();
  }
}

void EngineWatch::look() {
  const std::string now = engines_fingerprint(configured_);
  if (now == fingerprint_) {
    return;
  }
  auto found = find_engines(configured_);
  // An upgrade may be half done, and one that cannot be run now is asked again.
  if (now != engines_fingerprint(configured_) || found.size() < engines_->list()->size()) {
    return;
  }
  fingerprint_ = now;
  if (found != *engines_->list()) {
    log_.info(fmt::format("the installed engines changed, now: {}", describe(found)));
    engines_->replace(std::move(found));
  }
}

}  // namespace hikae::app
