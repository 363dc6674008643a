#include "control/start_gate.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace hikae::control {
namespace {

class StartGateTest : public ::testing::Test {
 protected:
  std::unique_ptr<StartGate::Place> place(const std::string& name) {
    return std::make_unique<StartGate::Place>(gate_, [this, name] { entered_.push_back(name); });
  }

  StartGate gate_{1};
  std::vector<std::string> entered_;
};

TEST_F(StartGateTest, TheLineIsServedInOrderButUrgentOnesFirst) {
  const auto a = place("a"), b = place("b"), c = place("c"), d = place("d"), e = place("e");
  EXPECT_TRUE(a->enter(false));
  EXPECT_TRUE(a->enter(false)) << "it is inside already";
  EXPECT_FALSE(b->enter(false));
  EXPECT_FALSE(c->enter(false));
  EXPECT_FALSE(d->enter(true));
  EXPECT_FALSE(e->enter(true));
  EXPECT_FALSE(b->enter(false)) << "asking again changes nothing";
  a->leave();
  EXPECT_EQ(entered_, (std::vector<std::string>{"d"}));
  EXPECT_TRUE(d->enter(true));
  d->leave();
  e->leave();
  EXPECT_EQ(entered_, (std::vector<std::string>{"d", "e", "b"}));
}

TEST_F(StartGateTest, WhoEndsInTheLineOrInsideLeavesNoHole) {
  auto a = place("a"), b = place("b"), c = place("c");
  EXPECT_TRUE(a->enter(false));
  EXPECT_FALSE(b->enter(false));
  EXPECT_FALSE(c->enter(false));
  b.reset();
  a.reset();
  EXPECT_EQ(entered_, (std::vector<std::string>{"c"}));
  c->leave();
  EXPECT_TRUE(place("d")->enter(false));
}

TEST_F(StartGateTest, WhoNoLongerWantsThePlaceItWasGivenPassesItOn) {
  const auto a = place("a"), b = place("b"), c = place("c");
  EXPECT_TRUE(a->enter(false));
  EXPECT_FALSE(b->enter(false));
  EXPECT_FALSE(c->enter(false));
  a->leave();
  b->leave();
  EXPECT_EQ(entered_, (std::vector<std::string>{"b", "c"}));
  EXPECT_TRUE(c->enter(false));
}

TEST_F(StartGateTest, OnlyUrgentOnesEnterWhileItIsQuiet) {
  const auto a = place("a"), b = place("b"), c = place("c");
  StartGate::Quiet one(gate_);
  auto two = std::make_unique<StartGate::Quiet>(gate_);
  one.set(true);
  two->set(true);
  EXPECT_FALSE(a->enter(false));
  EXPECT_TRUE(b->enter(true));
  EXPECT_FALSE(c->enter(true));
  b->leave();
  EXPECT_EQ(entered_, (std::vector<std::string>{"c"}));
  c->leave();
  one.set(false);
  one.set(false);
  EXPECT_EQ(entered_.size(), 1u) << "the other one is still on";
  two.reset();
  EXPECT_EQ(entered_, (std::vector<std::string>{"c", "a"}));
}

}  // namespace
}  // namespace hikae::control
