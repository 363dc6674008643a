#include "control/agent_note.h"

#include <gtest/gtest.h>

namespace hikae::control {
namespace {

TEST(AgentNote, ReadsBackWhatItWrote) {
  const AgentNote note{3,
                       "/usr/bin/valkey-server",
                       "valkey 8.0.1",
                       true,
                       {{"maxmemory", "100"}, {"notify-keyspace-events", ""}, {"x", "a=b"}},
                       {"required", {"aa", "bb"}, true},
                       {{"alice", "#0123 on ~a=b +@all"}, {"x=y", "off"}},
                       7};
  EXPECT_EQ(read_agent_note(write_agent_note(note)), note);
}

TEST(AgentNote, DamagedNoteMakesARestartLikely) {
  for (const char* text : {"", "generation=", "generation=-4", "garbage\ndirective.x"}) {
    EXPECT_EQ(read_agent_note(text), AgentNote{}) << text;
  }
}

}  // namespace
}  // namespace hikae::control
