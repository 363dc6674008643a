#include <charconv>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "sim/scale.h"
#include "sim/world.h"

namespace {

using hikae::sim::Options;
using hikae::sim::Outcome;

constexpr const char* kUsage =
    "usage: sim [--seeds N] [--first S] [--mutation NAME] [--twice] [--keep-going]\n"
    "       sim --seed S [--trace] [--mutation NAME]\n"
    "       sim --scale NODES [--hosts N]\n"
    "  --twice    run every seed a second time and compare the traces\n"
    "  --keep-going   do not stop at the first seed that fails\n";

struct Arguments {
  std::uint64_t first = 1;
  std::uint64_t seeds = 100;
  bool trace = false;
  bool twice = false;
  std::uint64_t scale = 0;  // nodes of one large region
  std::uint64_t hosts = 300;
  bool keep_going = false;
  hikae::sim::Mutation mutation = hikae::sim::Mutation::kNone;
};

bool parse(const std::vector<std::string_view>& words, Arguments& out) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    bool* const flag = word == "--trace"        ? &out.trace
                       : word == "--twice"      ? &out.twice
                       : word == "--keep-going" ? &out.keep_going
                                                : nullptr;
    if (flag != nullptr) {
      *flag = true;
      continue;
    }
    if (i + 1 == words.size()) {
      return false;
    }
    const std::string_view value = words[++i];
    if (word == "--mutation") {
      out.mutation = hikae::sim::mutation_named(value);
      if (hikae::sim::name_of(out.mutation) != value) {
        return false;
      }
      continue;
    }
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size()) {
      return false;
    }
    if (word == "--seed") {
      out.first = number;
      out.seeds = 1;
    } else if (word == "--seeds") {
      out.seeds = number;
    } else if (word == "--first") {
      out.first = number;
    } else if (word == "--scale") {
      out.scale = number;
    } else if (word == "--hosts") {
      out.hosts = number;
    } else {
      return false;
    }
  }
  return true;
}

Outcome run_seed(std::uint64_t seed, const Arguments& arguments, Options& options) {
  hikae::SeededRandom random(seed);
  options = hikae::sim::draw_options(seed, random);
  options.mutation = arguments.mutation;
  if (arguments.trace) {
    fmt::print("{}\n", options.str());
  }
  return hikae::sim::World(options, arguments.trace).run();
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(std::vector<std::string_view>(argv + 1, argv + argc), arguments)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  if (arguments.scale > 0) {
    return hikae::sim::Scale({int(arguments.scale), int(arguments.hosts)}).run() ? 0 : 1;
  }
  const auto began = std::chrono::steady_clock::now();
  std::uint64_t acknowledged = 0, excused = 0, takeovers = 0, steps = 0, hashes = 0;
  std::uint64_t failed = 0;
  for (std::uint64_t i = 0; i < arguments.seeds; ++i) {
    const std::uint64_t seed = arguments.first + i;
    Options options;
    Outcome outcome = run_seed(seed, arguments, options);
    if (arguments.twice && !outcome.violation) {
      const Outcome again = run_seed(seed, arguments, options);
      if (again.hash != outcome.hash) {
        outcome.violation = "two runs of the seed differ";
      }
    }
    if (outcome.violation) {
      fmt::print("FAILED: {}\n  {}\n  replay: {} --seed {} --trace", *outcome.violation,
                 options.str(), argv[0], seed);
      if (options.mutation != hikae::sim::Mutation::kNone) {
        fmt::print(" --mutation {}", hikae::sim::name_of(options.mutation));
      }
      fmt::print("\n");
      ++failed;
      if (!arguments.keep_going) {
        fmt::print("{} seeds passed before it\n", i);
        return 1;
      }
      continue;
    }
    acknowledged += outcome.acknowledged;
    excused += outcome.excused;
    takeovers += outcome.takeovers;
    steps += outcome.steps;
    hashes = hashes * 31 + outcome.hash;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  fmt::print(
      "{} seeds, {} failed, {:.1f} seeds/s, {} events, {} writes acknowledged ({} lost with every "
      "copy), "
      "{} takeovers, hash {:016x}\n",
      arguments.seeds, failed, double(arguments.seeds) / took.count(), steps, acknowledged, excused,
      takeovers, hashes);
  return failed == 0 ? 0 : 1;
}
