#pragma once

#include <string>
#include <vector>

#include "app/config.h"

namespace hikae::app {

// One thing that `hikae doctor` looked at.
struct Finding {
  enum class Level { kOk, kWarn, kFail };
  Level level = Level::kOk;
  std::string subject;  // `engines`, `port 6379`
  std::string text;     // what was found
  std::string mend;     // what to do; empty when all is well
};

// Looks at what a region of that configuration needs of this machine.
std::vector<Finding> examine(const ServeConfig& config);

// `warn  subject: text; mend`
std::string render(const Finding& finding);

// `hikae doctor`: prints one line for each finding. Answers 0 when nothing fails, else 1.
int run_doctor(const ServeConfig& config);

}  // namespace hikae::app
