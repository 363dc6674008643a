#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hikae::engine {

// One engine that this machine can run.
struct InstalledEngine {
  std::string engine;   // `redis`, `valkey`, `memcached`: what the program says it is
  std::string version;  // `8.0.1`
  std::string program;  // absolute path
  friend bool operator==(const InstalledEngine&, const InstalledEngine&) = default;
};

// The names under which engines are searched on PATH.
const std::vector<std::string>& engine_program_names();

// Reads the answer to `--version`. A Valkey installed under the name redis-server is still Valkey.
// nullopt when it is none of the engines.
std::optional<InstalledEngine> parse_version_output(std::string_view output, std::string program);

// Asks every program for its version through `version_output` (program -> what it printed).
// Programs that cannot be asked, or are no engine, are left out; of the same engine and version the
// first counts.
std::vector<InstalledEngine> discover_engines(
    const std::vector<std::string>& programs,
    const std::function<Result<std::string>(const std::string&)>& version_output);

// The engines of this machine as they were looked up last. Any thread.
class InstalledEngines {
 public:
  using List = std::vector<InstalledEngine>;
  explicit InstalledEngines(List engines) : engines_(std::make_shared<List>(std::move(engines))) {}

  std::shared_ptr<const List> list() const;
  // Grows with every replace().
  std::uint64_t edition() const;
  void replace(List engines);

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const List> engines_;
  std::uint64_t edition_ = 1;
};

struct EngineChoice {
  InstalledEngine installed;
  // Empty when the wish is met (same engine, same major and minor version). Else one line for an
  // event: what runs in place of what.
  std::string substitution;
};

// The installed engine that serves a requested version: of the same engine the nearest newer or
// equal one (the newest of its major and minor version), else its newest; for `redis` without any
// Redis, Valkey, which speaks the same protocol. With `strict`, only what meets the wish.
// kNotFound: none; the message names the package to install.
Result<EngineChoice> choose_engine(std::string_view engine, std::string_view version,
                                   const std::vector<InstalledEngine>& installed, bool strict);

}  // namespace hikae::engine
