#include "core/admission/access_string.h"

#include <gtest/gtest.h>

namespace hikae::core {
namespace {

std::string problem(std::string_view text, std::string_view engine = "redis") {
  const auto fault = invalid_access_string(text, engine);
  return fault ? fault->message : "";
}

// tests/integration/test_access.py shows the same strings to real engines.
TEST(AccessString, TakesWhatEnginesTake) {
  for (const char* text :
       {"on ~* +@all", "on ~* &* +@all", "off ~objects:* -@all", "on  ~a:*   ~b:*  +get ",
        "ON AllKeys AllChannels AllCommands", "on ~a resetkeys ~b", "on ~* resetkeys ~b",
        "on &* resetchannels &news.*", "on %R~a %W~b %RW~c %rw~d", "on ~ &",
        "+@all -@dangerous -@Admin", "nocommands +GET +client|setname -client|KILL",
        "+select|0 +get|x", "~\"quoted'\\ +ping", "~caf\xC3\xA9 +ping", "~a ~*", "~* ~*"}) {
    EXPECT_EQ(problem(text), "") << text;
  }
}

TEST(AccessString, RefusesWhatEnginesRefuse) {
  for (const char* text : {"",           "   ",       "on\t~*",
                           "on\n~*",     "on ~* ~b",  "on allkeys %R~b",
                           "on &* &b",   "+nonsense", "+client|nonsense",
                           "-select|0",  "+client|",  "+acl|setuser|x",
                           "+",          "-",         "+@",
                           "+@nonsense", "%~a",       "%RR~a",
                           "%X~a",       "%R",        "sometimes",
                           "+|x"}) {
    EXPECT_NE(problem(text), "") << text;
  }
}

TEST(AccessString, HoldsNothingThatForgetsOrAddsAPassword) {
  for (const char* text :
       {"on nopass ~*", "on resetpass", "on reset +@all", ">secretsecretsecret", "<secret", "#0123",
        "!0123", "on clearselectors", "on skip-sanitize-payload", "on (+@all ~*)"}) {
    EXPECT_NE(problem(text), "") << text;
  }
  EXPECT_EQ(problem("on >topsecretpassword").find("topsecret"), std::string::npos);
  EXPECT_EQ(problem("on topsecretpassword").find("topsecret"), std::string::npos);
}

TEST(AccessString, KnowsWhichEngineHasACommand) {
  EXPECT_EQ(problem("+script|show", "valkey"), "");
  EXPECT_NE(problem("+script|show", "redis"), "");
}

TEST(AccessString, HasALimit) {
  EXPECT_EQ(problem("~" + std::string(kMaxAccessString - 1, 'a')), "");
  EXPECT_NE(problem("~" + std::string(kMaxAccessString, 'a')), "");
}

}  // namespace
}  // namespace hikae::core
