#pragma once

#include <memory>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "control/ports.h"
#include "control/store_test_support.h"

// What every control::Store promises, as one suite that each adapter runs:
//
//   struct MyHarness { control::Store& open(); };   // opens, or opens again what was stored
//   INSTANTIATE_TYPED_TEST_SUITE_P(MyStore, StoreContract, MyHarness);

namespace hikae::control {

template <class Harness>
class StoreContract : public testing::Test {
 protected:
  Store& open() { return harness_.open(); }
  Result<core::State> load(Store& store) { return run_to_end(context_, store.load()); }
  Status commit(Store& store, core::Transition transition, std::uint64_t expected) {
    return run_to_end(context_, store.commit(std::move(transition), core::Revision(expected)));
  }

 private:
  boost::asio::io_context context_{1};  // outlives the connections of a store
  Harness harness_;
};

TYPED_TEST_SUITE_P(StoreContract);

TYPED_TEST_P(StoreContract, StartsEmptyAtRevisionZero) {
  const auto state = this->load(this->open());
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_EQ(state->revision(), core::Revision(0));
  EXPECT_TRUE(state->template all<core::Host>().empty());
}

TYPED_TEST_P(StoreContract, ACommittedTransitionIsThereAfterOpeningAgain) {
  Store& store = this->open();
  core::Transition transition = put_host("h1", "a");
  core::Vpc vpc;
  vpc.id = core::VpcId("vpc-1");
  vpc.cidr = *Cidr::parse("10.0.0.0/16");
  vpc.tags["na\"me\n"] = "v";
  transition.put(vpc);
  core::Event event;
  event.id = core::Event::Key(12);
  event.message = "made";
  transition.put(event);
  ASSERT_TRUE(this->commit(store, transition, 0));
  const auto state = this->load(this->open());
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_EQ(state->revision(), core::Revision(1));
  EXPECT_EQ(state->template find<core::Host>(core::HostId("h1"))->zone.str(), "a");
  EXPECT_EQ(state->template find<core::Vpc>(core::VpcId("vpc-1"))->cidr.str(), "10.0.0.0/16");
  EXPECT_EQ(state->template find<core::Vpc>(core::VpcId("vpc-1"))->tags.at("na\"me\n"), "v");
  EXPECT_EQ(state->template find<core::Event>(core::Event::Key(12))->message, "made");
}

TYPED_TEST_P(StoreContract, AnotherExpectedRevisionIsAConflictAndChangesNothing) {
  Store& store = this->open();
  ASSERT_TRUE(this->commit(store, put_host("h1", "a"), 0));
  for (const std::uint64_t expected : {0, 2}) {
    const Status refused = this->commit(store, put_host("h1", "b"), expected);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  }
  const auto state = this->load(this->open());
  EXPECT_EQ(state->revision(), core::Revision(1));
  EXPECT_EQ(state->template find<core::Host>(core::HostId("h1"))->zone.str(), "a");
  EXPECT_TRUE(this->commit(this->open(), put_host("h1", "c"), 1));
}

TYPED_TEST_P(StoreContract, TheLaterChangeOfAKeyWins) {
  Store& store = this->open();
  core::Transition transition = put_host("h1", "a");
  transition.remove<core::Host>(core::HostId("h1"));
  transition.remove<core::Host>(core::HostId("h2"));
  transition.changes.push_back(put_host("h2", "b").changes.front());
  ASSERT_TRUE(this->commit(store, transition, 0));
  const auto state = this->load(store);
  EXPECT_EQ(state->template find<core::Host>(core::HostId("h1")), nullptr);
  EXPECT_NE(state->template find<core::Host>(core::HostId("h2")), nullptr);
}

TYPED_TEST_P(StoreContract, RemovedResourcesStayAway) {
  Store& store = this->open();
  ASSERT_TRUE(this->commit(store, put_host("h1", "a"), 0));
  core::Transition removal;
  removal.remove<core::Host>(core::HostId("h1"));
  ASSERT_TRUE(this->commit(store, removal, 1));
  const auto state = this->load(this->open());
  EXPECT_EQ(state->revision(), core::Revision(2));
  EXPECT_TRUE(state->template all<core::Host>().empty());
}

TYPED_TEST_P(StoreContract, AnEmptyTransitionMovesTheRevisionToo) {
  ASSERT_TRUE(this->commit(this->open(), core::Transition(), 0));
  EXPECT_EQ(this->load(this->open())->revision(), core::Revision(1));
}

// Larger than what any store takes in one message: one and a half megabytes in 1,400 records.
TYPED_TEST_P(StoreContract, AVeryLargeTransitionIsMadeWhole) {
  constexpr std::uint64_t kEvents = 1'400;
  const auto event = [](std::uint64_t number, char letter) {
    core::Event made;
    made.id = core::Event::Key(number);
    made.message = std::string(1'000, letter);
    return made;
  };
  core::Transition large;
  for (std::uint64_t number = 1; number <= kEvents; ++number) {
    large.put(event(number, 'a'));
  }
  ASSERT_TRUE(this->commit(this->open(), large, 0));
  core::Transition mixed = put_host("h1", "a");
  for (std::uint64_t number = 1; number < kEvents; ++number) {
    if (number % 2 == 0) {
      mixed.remove<core::Event>(core::Event::Key(number));
    } else {
      mixed.put(event(number, 'b'));
    }
  }
  ASSERT_TRUE(this->commit(this->open(), mixed, 1));
  for (const std::uint64_t revision : {2, 3}) {
    const auto state = this->load(this->open());
    ASSERT_TRUE(state) << state.error().message;
    EXPECT_EQ(state->revision(), core::Revision(revision));
    EXPECT_NE(state->template find<core::Host>(core::HostId("h1")), nullptr);
    EXPECT_EQ(state->template all<core::Event>().size(), kEvents / 2 + 1);
    EXPECT_EQ(state->template find<core::Event>(core::Event::Key(7))->message.front(), 'b');
    EXPECT_EQ(state->template find<core::Event>(core::Event::Key(kEvents))->message.front(), 'a');
    if (revision == 2) {
      ASSERT_TRUE(this->commit(this->open(), put_host("h2", "b"), 2));
    }
  }
}

REGISTER_TYPED_TEST_SUITE_P(StoreContract, StartsEmptyAtRevisionZero,
                            ACommittedTransitionIsThereAfterOpeningAgain,
                            AnotherExpectedRevisionIsAConflictAndChangesNothing,
                            TheLaterChangeOfAKeyWins, RemovedResourcesStayAway,
                            AnEmptyTransitionMovesTheRevisionToo, AVeryLargeTransitionIsMadeWhole);

}  // namespace hikae::control
