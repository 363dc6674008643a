#include "sim/world.h"

#include <gtest/gtest.h>

namespace hikae::sim {
namespace {

Outcome run(std::uint64_t seed, Mutation mutation = Mutation::kNone) {
  SeededRandom random(seed);
  Options options = draw_options(seed, random);
  options.mutation = mutation;
  return World(options, false).run();
}

TEST(World, TheSameSeedGivesTheSameRun) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Outcome once = run(seed);
    const Outcome again = run(seed);
    EXPECT_EQ(once.hash, again.hash) << "seed " << seed;
    EXPECT_EQ(once.steps, again.steps);
  }
  EXPECT_NE(run(1).hash, run(2).hash);
}

TEST(World, ClientsWriteAndPrimariesMove) {
  std::uint64_t acknowledged = 0;
  std::uint64_t takeovers = 0;
  int snapshots = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const Outcome outcome = run(seed);
    EXPECT_FALSE(outcome.violation) << "seed " << seed << ": " << *outcome.violation;
    acknowledged += outcome.acknowledged;
    takeovers += outcome.takeovers;
    snapshots += outcome.snapshots;
  }
  EXPECT_GT(acknowledged, 1000U);
  EXPECT_GT(takeovers, 0U);
  EXPECT_GT(snapshots, 5);
}

// A simulator that finds no bug where there is one proves nothing.
class Mutants : public ::testing::TestWithParam<Mutation> {};

TEST_P(Mutants, AreFound) {
  constexpr std::uint64_t kEnough = 200;
  for (std::uint64_t seed = 1; seed <= kEnough; ++seed) {
    if (run(seed, GetParam()).violation) {
      return;
    }
  }
  FAIL() << name_of(GetParam()) << " survives " << kEnough << " seeds";
}

INSTANTIATE_TEST_SUITE_P(All, Mutants,
                         ::testing::Values(Mutation::kPromoteWithoutFence, Mutation::kIgnoreEpoch,
                                           Mutation::kChooseLowestOffset,
                                           Mutation::kFlipNameBeforeCommit,
                                           Mutation::kAcceptEmptyPrimary, Mutation::kUnderstateLoss,
                                           Mutation::kClaimSnapshot,
                                           Mutation::kPromoteBeforeLeaseEnds));

}  // namespace
}  // namespace hikae::sim
