#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "app/main/commands.h"
#include "app/version.h"

namespace hikae::app {

void add_info_commands(CLI::App& program, Action& action) {
  CLI::App* version = program.add_subcommand("version", "Print the version");
  version->callback([&action] {
    action = [] {
      fmt::print("{}\n", version_line());
      return 0;
    };
  });

  auto shell = std::make_shared<std::string>();
  CLI::App* completion =
      program.add_subcommand("completion", "Print the completion script for a shell");
  completion->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->callback([&action, &program, shell] {
    action = [&program, shell] {
      fmt::print("{}", completion_script(program, *shell));
      return 0;
    };
  });
}

}  // namespace hikae::app
