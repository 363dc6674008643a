#include "control/agent_standing.h"

#include "core/catalog/catalog.h"

namespace hikae::control {

void AgentStanding::judge(EngineDriver& driver, const core::NodeAssignment& desired,
                          AgentNote& note) {
  const auto spec = driver.launch_spec(desired);
  unservable = spec ? "" : spec.error().message;
  wanted_program = spec ? spec->program : "";
  wanted_version = spec ? spec->version : "";
  programs = driver.programs_edition();
  if (!spec) {
    return;
  }
  note.program = note.program.empty() ? spec->program : note.program;
  if (wanted_program == note.program) {
    substitution = spec->substitution;  // the same program under another name
  }
}

void AgentStanding::take_stock(const core::NodeAssignment& desired,
                               const core::NodeKnowledge& known, const AgentNote& note,
                               const std::string& running_version) {
  const bool answers = known.running && known.answers && !known.loading;
  if (!answers || !known.access.same_tokens(desired.access) || !(known.users == desired.users) ||
      !core::live_changes(known.directives, desired.directives).empty()) {
    return;
  }
  edition = desired.edition;
  outdated = wanted_program != note.program ||
             known.access.transit_encryption != desired.access.transit_encryption ||
             core::wait_for_restart(known.directives, desired.directives) ||
             (desired.update && !newer_program(running_version, note).empty());
}

// The numbers of another engine mean something else.
std::string AgentStanding::newer_program(const std::string& running_version,
                                         const AgentNote& note) const {
  const std::size_t blank = wanted_version.find(' ');
  const bool same_engine = note.version.empty()
                               ? wanted_program == note.program
                               : note.version.starts_with(wanted_version.substr(0, blank + 1));
  if (running_version.empty() || blank == std::string::npos || !same_engine) {
    return "";
  }
  const bool newer = core::compare_versions(wanted_version.substr(blank + 1), running_version) > 0;
  return newer ? wanted_version : "";
}

void AgentStanding::restarted(const LaunchSpec& spec) {
  wanted_program = spec.program;
  wanted_version = spec.version;
  substitution = spec.substitution;
  unservable.clear();
  edition = 0;
  outdated = false;
}

bool asks_for_other_engine(const core::NodeAssignment& a, const core::NodeAssignment& b) {
  return a.engine != b.engine || a.engine_version != b.engine_version ||
         a.access.takes_both() != b.access.takes_both();
}

}  // namespace hikae::control
