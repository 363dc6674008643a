#include <vector>

#include <fmt/format.h>

#include "app/main/commands.h"

namespace hikae::app {
namespace {

struct Command {
  std::string name;
  std::string description;
  std::vector<std::pair<std::string, std::string>> options;  // with `--`, and what it says
};

std::vector<Command> commands_of(const CLI::App& program) {
  std::vector<Command> out;
  for (const CLI::App* sub : program.get_subcommands([](const CLI::App*) { return true; })) {
    Command command{sub->get_name(), sub->get_description(), {}};
    for (const CLI::Option* option : sub->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        command.options.emplace_back("--" + name, option->get_description());
      }
    }
    out.push_back(std::move(command));
  }
  return out;
}

// One word inside single quotes.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return out + "'";
}

std::string names(const std::vector<Command>& commands) {
  std::string out;
  for (const Command& command : commands) {
    out += (out.empty() ? "" : " ") + command.name;
  }
  return out;
}

std::string option_cases(const std::vector<Command>& commands) {
  std::string out;
  for (const Command& command : commands) {
    std::string words = command.name == "completion" ? "bash zsh fish" : "";
    for (const auto& [option, description] : command.options) {
      words += (words.empty() ? "" : " ") + option;
    }
    out += fmt::format("    {}) choices='{}' ;;\n", command.name, words);
  }
  return out;
}

std::string bash_script(const std::vector<Command>& commands) {
  return fmt::format(
      "# hikae completion bash > ~/.local/share/bash-completion/completions/hikae\n"
      "_hikae() {{\n"
      "  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} choices\n"
      "  case $previous in\n"
      "    --data|--config|--log-file|--valkey-server|--redis-server)\n"
      "      COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n"
      "  esac\n"
      "  case ${{COMP_CWORD}}:${{COMP_WORDS[1]}} in\n"
      "    1:*) choices='{}' ;;\n"
      "    *) case ${{COMP_WORDS[1]}} in\n{}    esac ;;\n"
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$choices\" -- \"$current\"))\n"
      "}}\n"
      "complete -o default -F _hikae hikae\n",
      names(commands), option_cases(commands));
}

std::string zsh_script(const std::vector<Command>& commands) {
  return fmt::format(
      "#compdef hikae\n"
      "# hikae completion zsh > ~/.zfunc/_hikae   (with fpath+=~/.zfunc before compinit)\n"
      "_hikae() {{\n"
      "  if (( CURRENT == 2 )); then\n"
      "    compadd {}\n"
      "    return\n"
      "  fi\n"
      "  local choices=\n"
      "  case $words[2] in\n{}  esac\n"
      "  compadd -- ${{=choices}}\n"
      "  _files\n"
      "}}\n"
      "compdef _hikae hikae\n",
      names(commands), option_cases(commands));
}

std::string fish_script(const std::vector<Command>& commands) {
  std::string out = "# hikae completion fish > ~/.config/fish/completions/hikae.fish\n";
  for (const Command& command : commands) {
    out += fmt::format("complete -c hikae -n __fish_use_subcommand -f -a {} -d {}\n", command.name,
                       quoted(command.description));
    for (const auto& [option, description] : command.options) {
      out += fmt::format("complete -c hikae -n '__fish_seen_subcommand_from {}' -l {} -d {}\n",
                         command.name, option.substr(2), quoted(description));
    }
  }
  return out +
         "complete -c hikae -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'\n";
}

}  // namespace

std::string completion_script(const CLI::App& program, const std::string& shell) {
  const std::vector<Command> commands = commands_of(program);
  if (shell == "bash") {
    return bash_script(commands);
  }
  return shell == "zsh" ? zsh_script(commands) : fish_script(commands);
}

}  // namespace hikae::app
