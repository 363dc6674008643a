#include "engine/engine_binaries.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "core/catalog/catalog.h"

namespace hikae::engine {
namespace {

struct Known {
  std::string_view engine;
  std::string_view title;   // for people
  std::string_view banner;  // what `--version` prints before the number
  std::string_view package;
};

constexpr Known kKnown[] = {
    {"valkey", "Valkey", "Valkey server v=", "valkey-server (bookworm-backports on Debian 12)"},
    {"redis", "Redis", "Redis server v=", "redis-server"},
    {"memcached", "memcached", "memcached ", "memcached"},
};

const Known* find_known(std::string_view engine) {
  const auto* it = std::find_if(std::begin(kKnown), std::end(kKnown),
                                [&](const Known& k) { return k.engine == engine; });
  return it == std::end(kKnown) ? nullptr : it;
}

bool is_version(std::string_view text) {
  return !text.empty() && text.front() != '.' && text.back() != '.' &&
         text.find_first_not_of("0123456789.") == std::string_view::npos;
}

// `7.0.15` -> `7.0`.
std::string series(std::string_view version) {
  auto parts = split(version, '.');
  parts.resize(2, "0");
  return join(parts, ".");
}

// The nearest of `engine` that is not older than `version`, else the newest of `engine`. Of those
// that differ in the patch version alone the newest.
const InstalledEngine* nearest(std::string_view engine, std::string_view version,
                               const std::vector<InstalledEngine>& installed) {
  const InstalledEngine* newer = nullptr;
  const InstalledEngine* newest = nullptr;
  for (const InstalledEngine& candidate : installed) {
    if (candidate.engine != engine) {
      continue;
    }
    if (!newest || core::compare_versions(candidate.version, newest->version) > 0) {
      newest = &candidate;
    }
    const bool serves = core::compare_versions(candidate.version, version) >= 0;
    const int against =
        newer ? core::compare_versions(series(candidate.version), series(newer->version)) : -1;
    const bool newer_patch =
        against == 0 && core::compare_versions(candidate.version, newer->version) > 0;
    if (serves && (against < 0 || newer_patch)) {
      newer = &candidate;
    }
  }
  return newer ? newer : newest;
}

}  // namespace

std::shared_ptr<const InstalledEngines::List> InstalledEngines::list() const {
  const std::lock_guard lock(mutex_);
  return engines_;
}

std::uint64_t InstalledEngines::edition() const {
  const std::lock_guard lock(mutex_);
  return edition_;
}

void InstalledEngines::replace(List engines) {
  const std::lock_guard lock(mutex_);
  engines_ = std::make_shared<List>(std::move(engines));
  ++edition_;
}

const std::vector<std::string>& engine_program_names() {
  static const std::vector<std::string> kNames = {"valkey-server", "redis-server", "memcached"};
  return kNames;
}

std::optional<InstalledEngine> parse_version_output(std::string_view output, std::string program) {
  for (const Known& known : kKnown) {
    if (!output.starts_with(known.banner)) {
      continue;
    }
    const std::string_view rest = output.substr(known.banner.size());
    const std::string_view version = rest.substr(0, rest.find_first_of(" \r\n"));
    if (is_version(version)) {
      return InstalledEngine{std::string(known.engine), std::string(version), std::move(program)};
    }
  }
  return std::nullopt;
}

std::vector<InstalledEngine> discover_engines(
    const std::vector<std::string>& programs,
    const std::function<Result<std::string>(const std::string&)>& version_output) {
  std::vector<InstalledEngine> out;
  for (const std::string& program : programs) {
    const auto output = version_output(program);
    auto found = output ? parse_version_output(*output, program) : std::nullopt;
    const bool seen = found && std::any_of(out.begin(), out.end(), [&](const auto& other) {
                        return other.engine == found->engine && other.version == found->version;
                      });
    if (found && !seen) {
      out.push_back(std::move(*found));
    }
  }
  return out;
}

Result<EngineChoice> choose_engine(std::string_view engine, std::string_view version,
                                   const std::vector<InstalledEngine>& installed, bool strict) {
  const Known* wanted = find_known(engine);
  if (!wanted) {
    return fail(ErrorCode::kInvalid, fmt::format("'{}' is not an engine hikae can run", engine));
  }
  const InstalledEngine* best = nearest(engine, version, installed);
  if (!best && engine == "redis") {
    best = nearest("valkey", version, installed);
  }
  if (!best) {
    return fail(ErrorCode::kNotFound, fmt::format("{} is not installed; install the package {}",
                                                  wanted->title, wanted->package));
  }
  EngineChoice choice{*best, {}};
  if (best->engine == engine && series(best->version) == series(version)) {
    return choice;
  }
  if (strict) {
    return fail(
        ErrorCode::kNotFound,
        fmt::format("{} {} is not installed ({} {} is), and engines.strict forbids another",
                    wanted->title, version, find_known(best->engine)->title, best->version));
  }
  choice.substitution =
      fmt::format("Served by {} {}, because {} {} is not installed",
                  find_known(best->engine)->title, best->version, wanted->title, version);
  return choice;
}

}  // namespace hikae::engine
