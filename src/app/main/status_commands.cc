#include <memory>

#include "app/config.h"
#include "app/main/commands.h"
#include "app/status_command.h"
#include "app/status_messages.h"

namespace hikae::app {
namespace {

void add_data(CLI::App& command, std::string& data) {
  command.add_option("--data", data, "Directory that holds the region [$HIKAE_DATA or ./.hikae]")
      ->option_text("DIR");
}

void add_status(CLI::App& program, Action& action) {
  auto line = std::make_shared<StatusCommand>();
  CLI::App* command = program.add_subcommand(
      "status", "Show servers, hosts, caches and what waits, as a running serve knows them");
  add_data(*command, line->data_directory);
  command->add_flag("--json", line->json, "Print one JSON object");
  command->callback([&action, line] {
    action = [line] {
      line->data_directory = data_directory_or_default(line->data_directory);
      return run_status(*line);
    };
  });
}

void add_events(CLI::App& program, Action& action) {
  auto line = std::make_shared<EventsCommand>();
  CLI::App* command = program.add_subcommand("events", "Print the region's newest events");
  add_data(*command, line->data_directory);
  command
      ->add_option("--source", line->source,
                   "Only of this cache, or of this type, such as replication-group")
      ->option_text("ID");
  command->add_option("--last", line->last, "So many of those that there are [20]")
      ->option_text("N")
      ->check(CLI::Range(std::uint64_t(0), kMaxEventsInAnswer));
  command->add_flag("--follow", line->follow, "Go on with those that come");
  command->add_flag("--json", line->json, "Print one JSON object for each");
  command->callback([&action, line] {
    action = [line] {
      line->data_directory = data_directory_or_default(line->data_directory);
      return run_events(*line);
    };
  });
}

}  // namespace

void add_status_commands(CLI::App& program, Action& action) {
  add_status(program, action);
  add_events(program, action);
}

}  // namespace hikae::app
