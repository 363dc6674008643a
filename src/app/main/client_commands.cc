#include <memory>

#include "app/ca_file.h"
#include "app/config.h"
#include "app/down.h"
#include "app/environment.h"
#include "app/main/commands.h"
#include "app/shell.h"

namespace hikae::app {
namespace {

void add_data_option(CLI::App& command, std::string& data) {
  command.add_option("--data", data, "Directory that holds the region [$HIKAE_DATA or ./.hikae]")
      ->option_text("DIR");
}

void add_data_command(CLI::App& program, Action& action, const char* name, const char* description,
                      int (*run)(const std::string&)) {
  auto data = std::make_shared<std::string>();
  CLI::App* command = program.add_subcommand(name, description);
  add_data_option(*command, *data);
  command->callback([&action, data, run] {
    action = [data, run] { return run(data_directory_or_default(*data)); };
  });
}

}  // namespace

void add_client_commands(CLI::App& program, Action& action,
                         const std::vector<std::string>& dashes_and_rest) {
  add_data_command(program, action, "env",
                   "Print the variables for AWS's tools: eval \"$(hikae env)\"", run_env);
  add_data_command(program, action, "down",
                   "Stop the region and all its engines; its state is kept", run_down);

  add_data_command(program, action, "ca",
                   "Print the CA by which clients trust encrypted nodes, in PEM", run_ca);

  auto data = std::make_shared<std::string>();
  CLI::App* shell = program.add_subcommand(
      "shell", "Open a shell (or run one command) in which aws, dig and redis-cli find the region");
  add_data_option(*shell, *data);
  shell->prefix_command();  // everything after the first foreign word belongs to the command
  shell->callback([&action, shell, data, dashes_and_rest] {
    std::vector<std::string> command = shell->remaining();
    if (!dashes_and_rest.empty()) {
      command.insert(command.end(), dashes_and_rest.begin() + 1, dashes_and_rest.end());
    }
    action = [data, command] { return run_shell(data_directory_or_default(*data), command); };
  });
}

}  // namespace hikae::app
