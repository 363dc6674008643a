#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "control/ports.h"
#include "engine/engine_binaries.h"

namespace hikae::app {

// Notices when the machine's engines are upgraded while we run: looks at the program files now and
// then, and asks those that changed for their version. On a thread of its own, because a program
// has to be run for that. The engines that run are not touched.
class EngineWatch {
 public:
  // `configured`: as for find_engines(). Looks them up once, before it returns.
  EngineWatch(std::vector<std::string> configured, control::Log& log);
  ~EngineWatch();  // ends the thread

  const std::shared_ptr<engine::InstalledEngines>& engines() const { return engines_; }
  // Begins to watch.
  void start();

 private:
  void watch();
  void look();

  const std::vector<std::string> configured_;
  control::Log& log_;
  std::shared_ptr<engine::InstalledEngines> engines_;
  std::string fingerprint_;  // of the program files when they were asked last
  std::mutex mutex_;
  std::condition_variable ended_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace hikae::app
