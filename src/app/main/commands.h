#pragma once

#include <functional>
#include <string>
#include <vector>

#include <CLI/App.hpp>

// Each function adds one family of subcommands to the program. A subcommand that was chosen sets
// `action`; main() calls it after the whole command line was understood.

namespace hikae::app {

using Action = std::function<int()>;

void add_serve_commands(CLI::App& program, Action& action);  // serve, doctor
// env, ca, shell, down. `dashes_and_rest`: the words of the command line from `--` on.
void add_client_commands(CLI::App& program, Action& action,
                         const std::vector<std::string>& dashes_and_rest);
void add_store_commands(CLI::App& program, Action& action);   // store
void add_host_commands(CLI::App& program, Action& action);    // agent, host
void add_status_commands(CLI::App& program, Action& action);  // status, events
void add_drill_commands(CLI::App& program, Action& action);   // drill
void add_info_commands(CLI::App& program, Action& action);    // version, completion

// The script that completes subcommands and options for `bash`, `zsh` or `fish`.
std::string completion_script(const CLI::App& program, const std::string& shell);

}  // namespace hikae::app
