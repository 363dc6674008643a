#include <algorithm>
#include <string>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "app/main/commands.h"
#include "app/version.h"

namespace {

constexpr int kUsageError = 2;

using Words = std::vector<std::string>;

// CLI11 reads on behind `--`, where the words of another program begin (`hikae shell -- dig -x`).
Words words_before_dashes(int argc, char** argv) {
  Words words(argv, argv + argc);
  words.erase(std::find(words.begin(), words.end(), "--"), words.end());
  return words;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App program(
      "Hikae serves the Amazon ElastiCache API and runs Valkey and Redis on your own machine.\n"
      "Start with: hikae serve, then hikae shell in another terminal.",
      "hikae");
  program.require_subcommand(1);
  program.set_version_flag("--version", hikae::app::version_line());
  program.failure_message(CLI::FailureMessage::simple);
  hikae::app::Action action;
  hikae::app::add_serve_commands(program, action);
  const Words before_dashes = words_before_dashes(argc, argv);
  hikae::app::add_client_commands(program, action, Words(argv + before_dashes.size(), argv + argc));
  hikae::app::add_store_commands(program, action);
  hikae::app::add_host_commands(program, action);
  hikae::app::add_status_commands(program, action);
  hikae::app::add_drill_commands(program, action);
  hikae::app::add_info_commands(program, action);
  try {
    program.parse(int(before_dashes.size()), argv);
  } catch (const CLI::ParseError& e) {
    // --help ends here too, with code 0.
    return program.exit(e) == 0 ? 0 : kUsageError;
  }
  return action();
}
