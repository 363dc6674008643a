#include "control/agent_standing.h"

namespace hikae::control {

void AgentStanding::judge(EngineDriver& driver, const core::NodeAssignment& desired,
                          AgentNote& note) {
  const auto spec = driver.launch_spec(desired);
  unservable = spec ? "" : spec.error().message;
  wanted_program = spec ? spec->program : "";
  if (!spec) {
    return;
  }
  note.program = note.program.empty() ? spec->program : note.program;
  if (wanted_program == note.program) {
    substitution = spec->substitution;  // the same program under another name
  }
}

void AgentStanding::take_stock(const core::NodeAssignment& desired,
                               const core::NodeKnowledge& known, const AgentNote& note) {
  const bool answers = known.running && known.answers && !known.loading;
  if (!answers || known.access != desired.access || !(known.users == desired.users) ||
      !core::live_changes(known.directives, desired.directives).empty()) {
    return;
  }
  edition = desired.edition;
  outdated = wanted_program != note.program ||
             core::wait_for_restart(known.directives, desired.directives);
}

void AgentStanding::restarted(const LaunchSpec& spec) {
  wanted_program = spec.program;
  substitution = spec.substitution;
  unservable.clear();
  edition = 0;
  outdated = false;
}

bool asks_for_other_engine(const core::NodeAssignment& a, const core::NodeAssignment& b) {
  return a.engine != b.engine || a.engine_version != b.engine_version;
}

}  // namespace hikae::control
