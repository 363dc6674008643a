#include <memory>

#include "app/config.h"
#include "app/drill.h"
#include "app/main/commands.h"

namespace hikae::app {
namespace {

struct DrillLine {
  std::string data;
  std::string subject;
  std::int64_t seconds = 10;
  std::int64_t budget_ms = 0;
  std::int64_t writes_lost_max = 0;
};

void add_drill(CLI::App& drill, Action& action, const char* name, const char* description,
               DrillKind kind) {
  auto line = std::make_shared<DrillLine>();
  const bool zone = kind == DrillKind::kZoneOutage;
  CLI::App* command = drill.add_subcommand(name, description);
  command->add_option(zone ? "zone" : "cluster", line->subject)->required();
  command
      ->add_option("--data", line->data,
                   "Directory that holds the region [$HIKAE_DATA or ./.hikae]")
      ->option_text("DIR");
  auto* budget =
      command
          ->add_option("--budget-ms", line->budget_ms, "Fail when a write gap is longer than this")
          ->option_text("N")
          ->check(CLI::NonNegativeNumber);
  auto* lost = command
                   ->add_option("--writes-lost-max", line->writes_lost_max,
                                "Fail when more acknowledged writes are lost")
                   ->option_text("N")
                   ->check(CLI::NonNegativeNumber);
  if (zone) {
    command->add_option("--duration", line->seconds, "How long the zone is out, in seconds [10]")
        ->option_text("S")
        ->check(CLI::Range(1, 3600));
  }
  command->callback([&action, line, kind, budget, lost] {
    DrillOptions options;
    options.kind = kind;
    options.subject = line->subject;
    options.data_directory = data_directory_or_default(line->data);
    options.duration = std::chrono::seconds(line->seconds);
    if (budget->count() > 0) {
      options.budget_ms = line->budget_ms;
    }
    if (lost->count() > 0) {
      options.writes_lost_max = line->writes_lost_max;
    }
    action = [options] { return run_drill(options); };
  });
}

}  // namespace

void add_drill_commands(CLI::App& program, Action& action) {
  CLI::App* drill = program.add_subcommand(
      "drill", "Inject a fault while writing, and say what clients saw: for your own tests");
  drill->require_subcommand(1);
  add_drill(*drill, action, "kill", "Kill the node of a cache cluster", DrillKind::kKill);
  add_drill(*drill, action, "stop", "Make the node of a cache cluster hang", DrillKind::kStop);
  add_drill(*drill, action, "segv", "Crash the node of a cache cluster", DrillKind::kSegv);
  add_drill(*drill, action, "zone-outage", "Keep all nodes of a zone dead for some time",
            DrillKind::kZoneOutage);
}

}  // namespace hikae::app
