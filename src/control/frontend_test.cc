#include "control/frontend.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "base/random.h"
#include "control/agent_fakes.h"
#include "control/leader_link.h"
#include "control/leader_loop.h"
#include "control/state_follower.h"
#include "control/store_test_support.h"

namespace hikae::control {
namespace {

bool has_host(const core::State& state, const char* id) {
  return state.find<core::Host>(core::HostId(id)) != nullptr;
}

// A store that others write too. Each commit first runs what the test has prepared.
class SharedStore final : public Store {
 public:
  core::State state;
  std::optional<Error> load_error;
  std::deque<std::function<Status()>> before_commit;
  WakeSignal* held = nullptr;  // the next commit waits for it
  std::optional<LeaderTerm> newest_term;
  int loads = 0;
  int commits = 0;

  void write(const core::Transition& transition) {
    state.apply(transition, state.revision().next());
  }
  Awaitable<Result<core::State>> load() override {
    ++loads;
    if (load_error) {
      co_return tl::unexpected(*load_error);
    }
    co_return state;
  }
  Awaitable<Status> commit(core::Transition transition, core::Revision expected,
                           std::optional<LeaderTerm> term) override {
    ++commits;
    newest_term = term;
    if (WakeSignal* signal = std::exchange(held, nullptr)) {
      co_await signal->wait();
    }
    if (!before_commit.empty()) {
      const Status prepared = before_commit.front()();
      before_commit.pop_front();
      if (!prepared) {
        co_return prepared;
      }
    }
    if (expected != state.revision()) {
      co_return fail(ErrorCode::kConflict, "another server was first");
    }
    write(transition);
    co_return Status();
  }
};

// Tells what the test puts in; silent otherwise.
class PreparedWatch final : public StateWatch {
 public:
  explicit PreparedWatch(boost::asio::any_io_executor executor) : wake_(executor) {}
  void tell(Result<std::optional<Commit>> news) {
    news_.push_back(std::move(news));
    wake_.raise();
  }
  Awaitable<Result<std::optional<Commit>>> next(core::Revision) override {
    while (news_.empty() && !stopped_) {
      co_await wake_.wait();
    }
    if (stopped_) {
      co_return fail(ErrorCode::kUnavailable, "stopped");
    }
    auto news = std::move(news_.front());
    news_.pop_front();
    co_return news;
  }
  void stop() override {
    stopped_ = true;
    wake_.raise();
  }

 private:
  std::deque<Result<std::optional<Commit>>> news_;
  WakeSignal wake_;
  bool stopped_ = false;
};

class FrontendTest : public testing::Test {
 protected:
  void SetUp() override {
    run(frontend_.open());
    frontend_.observe([this](const core::State& after, const core::Transition&) {
      observed_.push_back(after.revision().value());
    });
  }

  template <class T>
  T run(Awaitable<T> operation) {
    std::optional<T> result;
    boost::asio::co_spawn(context_, std::move(operation), [&](std::exception_ptr error, T value) {
      ASSERT_EQ(error, nullptr);
      result = std::move(value);
    });
    settle([&] { return result.has_value(); });
    return std::move(*result);
  }
  void run(Awaitable<void> operation) {
    bool done = false;
    boost::asio::co_spawn(context_, std::move(operation), [&](std::exception_ptr error) {
      ASSERT_EQ(error, nullptr);
      done = true;
    });
    settle([&] { return done; });
  }
  // Lets time pass until the condition holds.
  void settle(const std::function<bool()>& done) {
    for (int steps = 0; steps < 10'000; ++steps) {
      context_.restart();
      context_.poll();
      if (done()) {
        return;
      }
      clock_.advance_to_next();
    }
    FAIL() << "it never came to that";
  }

  // Adds the host; remembers how many hosts each run of the decision has seen.
  Frontend::Decision adding(const char* id) {
    return [this, id](const core::State& state, core::AdmissionContext) {
      seen_.push_back(state.all<core::Host>().size());
      return core::Admitted<core::Transition>(put_host(id));
    };
  }

  boost::asio::io_context context_{1};
  SharedStore store_;
  FakeClock clock_;
  SeededRandom random_{1};
  NoLog log_;
  Frontend frontend_{context_.get_executor(), store_, clock_, random_, log_};
  std::vector<std::uint64_t> observed_;
  std::vector<std::size_t> seen_;
};

TEST_F(FrontendTest, ADecisionThatThrowsDoesNotStopTheNextOne) {
  Frontend::Decision wrong = [](const core::State&,
                                core::AdmissionContext) -> core::Admitted<core::Transition> {
    throw std::out_of_range("a bug");
  };
  bool thrown = false;
  boost::asio::co_spawn(context_, frontend_.submit(std::move(wrong)),
                        [&](std::exception_ptr error, const core::Admitted<core::Revision>&) {
                          thrown = error != nullptr;
                        });
  settle([&] { return thrown; });
  EXPECT_TRUE(run(frontend_.submit(adding("one"))));
}

TEST_F(FrontendTest, WhatWaitsWithOthersIsOneCommitAndEachHasItsOwnOutcome) {
  WakeSignal all_wait(context_.get_executor());
  store_.held = &all_wait;
  const Frontend::Decision refused = [](const core::State& state, core::AdmissionContext) {
    EXPECT_TRUE(has_host(state, "two"));  // sees what comes before it
    return core::Admitted<core::Transition>(core::refuse("Refused", ""));
  };
  const Frontend::Decision wrong = [](const core::State&,
                                      core::AdmissionContext) -> core::Admitted<core::Transition> {
    throw std::out_of_range("a bug");
  };
  std::vector<std::string> outcomes(6);
  const auto submit = [&](std::size_t at, Awaitable<core::Admitted<core::Revision>> operation) {
    boost::asio::co_spawn(
        context_, std::move(operation),
        [&outcomes, at](std::exception_ptr thrown, const core::Admitted<core::Revision>& done) {
          outcomes[at] = thrown ? "thrown"
                         : done ? std::to_string(done->value())
                                : done.error().code;
        });
  };
  submit(0, frontend_.submit_with_others(adding("one"), std::nullopt));
  submit(1, frontend_.submit_with_others(adding("two"), std::nullopt));
  submit(2, frontend_.submit(adding("alone")));
  submit(3, frontend_.submit_with_others(refused, std::nullopt));
  submit(4, frontend_.submit_with_others(wrong, std::nullopt));
  submit(5, frontend_.submit_with_others(adding("three"), std::nullopt));
  settle([&] { return store_.commits == 1; });
  all_wait.raise();
  settle([&] { return std::ranges::none_of(outcomes, &std::string::empty); });
  EXPECT_EQ(outcomes, (std::vector<std::string>{"1", "2", "3", "Refused", "thrown", "2"}));
  EXPECT_EQ(store_.commits, 3);
  EXPECT_EQ(observed_, (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_EQ(seen_, (std::vector<std::size_t>{0, 1, 2, 3}));
}

TEST_F(FrontendTest, OthersOfAnotherTermAreCommittedByThemselves) {
  std::vector<bool> done(2);
  for (const std::uint64_t term : {1, 2}) {
    boost::asio::co_spawn(
        context_, frontend_.submit_with_others(adding(term == 1 ? "one" : "two"), LeaderTerm(term)),
        [&done, term](std::exception_ptr, const core::Admitted<core::Revision>& revision) {
          done[term - 1] = revision.has_value();
        });
  }
  settle([&] { return done[0] && done[1]; });
  EXPECT_EQ(store_.commits, 2);
  EXPECT_EQ(store_.newest_term, LeaderTerm(2));
}

TEST_F(FrontendTest, ADecisionRunsAgainOnTheStateThatWasFirst) {
  store_.write(put_host("other"));
  const auto done = run(frontend_.submit(adding("mine")));
  ASSERT_TRUE(done);
  EXPECT_EQ(done->value(), 2u);
  EXPECT_EQ(seen_, (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(observed_, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_TRUE(has_host(frontend_.state(), "other") && has_host(frontend_.state(), "mine"));
}

TEST_F(FrontendTest, ADecisionMayRefuseWhatTheOtherServerMadeImpossible) {
  store_.write(put_host("taken"));
  Frontend::Decision decision = [](const core::State& state,
                                   core::AdmissionContext) -> core::Admitted<core::Transition> {
    if (has_host(state, "taken")) {
      return core::refuse("AlreadyExists", "It exists.");
    }
    return put_host("taken");
  };
  const auto refused = run(frontend_.submit(std::move(decision)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "AlreadyExists");
  EXPECT_EQ(store_.state.revision(), core::Revision(1));
}

TEST_F(FrontendTest, WhereItIsFollowedAConflictWaitsForTheNewsAndLoadsNothing) {
  frontend_.expect_followed(true);
  const core::Transition other = put_host("other");
  store_.before_commit.emplace_back([&] {
    store_.write(other);
    boost::asio::post(context_, [&] { frontend_.follow(Commit{other, core::Revision(1)}); });
    return Status();
  });
  const int loads = store_.loads;
  ASSERT_TRUE(run(frontend_.submit(adding("mine"))));
  EXPECT_EQ(store_.loads, loads);
  EXPECT_EQ(seen_, (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(observed_, (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(FrontendTest, ACommitThatTheWatchToldFirstIsAppliedOnce) {
  store_.before_commit.emplace_back([&] {
    EXPECT_TRUE(frontend_.follow(Commit{put_host("mine"), core::Revision(1)}));
    return Status();
  });
  const auto done = run(frontend_.submit(adding("mine")));
  ASSERT_TRUE(done);
  EXPECT_EQ(done->value(), 1u);
  EXPECT_EQ(observed_, (std::vector<std::uint64_t>{1}));
}

// What a handler does: submits, and answers from the state.
Awaitable<core::Revision> submit_and_look(Frontend& frontend, Frontend::Decision decision) {
  const auto done = co_await frontend.submit(std::move(decision));
  co_return done ? frontend.state().revision() : core::Revision(0);
}

TEST_F(FrontendTest, WhoeverSubmittedFindsTheStateAsItsChangeMadeIt) {
  store_.before_commit.emplace_back([&] {
    core::Transition removal;
    removal.remove<core::Host>(core::HostId("mine"));
    EXPECT_TRUE(frontend_.follow(Commit{put_host("mine"), core::Revision(1)}));
    EXPECT_TRUE(frontend_.follow(Commit{removal, core::Revision(2)}));
    return Status();
  });
  EXPECT_EQ(run(submit_and_look(frontend_, adding("mine"))), core::Revision(1));
  settle([&] { return frontend_.state().revision() == core::Revision(2); });
  EXPECT_FALSE(has_host(frontend_.state(), "mine"));
}

TEST_F(FrontendTest, OldNewsIsIgnoredAndAGapIsNoticed) {
  ASSERT_TRUE(run(frontend_.submit(adding("mine"))));
  EXPECT_TRUE(frontend_.follow(Commit{put_host("old"), core::Revision(1)}));
  EXPECT_FALSE(has_host(frontend_.state(), "old"));
  EXPECT_FALSE(frontend_.follow(Commit{put_host("far"), core::Revision(3)}));
  EXPECT_FALSE(has_host(frontend_.state(), "far"));
  store_.write(put_host("two"));
  store_.write(put_host("far"));
  ASSERT_TRUE(run(frontend_.refresh()));
  EXPECT_EQ(frontend_.state().revision(), core::Revision(3));
  EXPECT_EQ(observed_, (std::vector<std::uint64_t>{1, 3}));
}

TEST_F(FrontendTest, AnEndedTermChangesNothingAndIsNotTriedAgain) {
  store_.before_commit.emplace_back([] { return fail(ErrorCode::kDenied, "no more"); });
  const auto refused = run(frontend_.submit(adding("mine"), LeaderTerm(7)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "InternalFailure");
  EXPECT_EQ(store_.newest_term, LeaderTerm(7));
  EXPECT_EQ(store_.commits, 1);
  EXPECT_TRUE(observed_.empty());
}

TEST_F(FrontendTest, AStoreThatDoesNotAnswerIsServiceUnavailable) {
  store_.before_commit.emplace_back([] { return fail(ErrorCode::kUnavailable, "nobody there"); });
  EXPECT_EQ(run(frontend_.submit(adding("mine"))).error().code, "ServiceUnavailable");
  EXPECT_TRUE(run(frontend_.submit(adding("mine"))));
}

TEST_F(FrontendTest, NothingIsDecidedOnAStateThatMayBeOld) {
  store_.before_commit.emplace_back([&] {
    store_.write(put_host("mine"));
    store_.load_error = Error{ErrorCode::kUnavailable, "nobody there"};
    return fail(ErrorCode::kTimeout, "no answer");
  });
  EXPECT_EQ(run(frontend_.submit(adding("mine"))).error().code, "InternalFailure");
  const int loads = store_.loads;
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(run(frontend_.submit(adding("more"))).error().code, "ServiceUnavailable");
  }
  EXPECT_EQ(store_.loads, loads) << "the store was asked although it had just not answered";
  EXPECT_EQ(seen_.size(), 1u);
  store_.load_error.reset();
  run(clock_.sleep_for(std::chrono::seconds(2)));
  ASSERT_TRUE(run(frontend_.submit(adding("more"))));
  EXPECT_EQ(seen_.back(), 1u);
  EXPECT_EQ(frontend_.state().revision(), core::Revision(2));
}

TEST_F(FrontendTest, AForgottenObserverIsNotCalled) {
  int calls = 0;
  const auto id = frontend_.observe([&](const core::State&, const core::Transition&) { ++calls; });
  ASSERT_TRUE(run(frontend_.submit(adding("one"))));
  frontend_.forget(id);
  ASSERT_TRUE(run(frontend_.submit(adding("two"))));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(observed_.size(), 2u);
}

TEST_F(FrontendTest, TheFollowerTakesOverCommitsAndLoadsWhereSomeWereMissed) {
  PreparedWatch watch(context_.get_executor());
  StateFollower follower(context_.get_executor(), frontend_, watch, clock_, log_);
  follower.start();
  store_.write(put_host("one"));
  watch.tell(std::optional<Commit>(Commit{put_host("one"), core::Revision(1)}));
  settle([&] { return frontend_.state().revision() == core::Revision(1); });
  const int loads = store_.loads;
  EXPECT_EQ(loads, 1);
  store_.write(put_host("two"));
  store_.write(put_host("three"));
  watch.tell(std::optional<Commit>());  // compacted
  settle([&] { return frontend_.state().revision() == core::Revision(3); });
  EXPECT_EQ(store_.loads, loads + 1);
  watch.tell(fail(ErrorCode::kUnavailable, "nobody there"));
  store_.write(put_host("four"));
  watch.tell(std::optional<Commit>(Commit{put_host("four"), core::Revision(4)}));
  settle([&] { return frontend_.state().revision() == core::Revision(4); });
  run(follower.stop());
}

// Elected whenever the test says so.
class PreparedLeadership final : public Leadership {
 public:
  explicit PreparedLeadership(boost::asio::any_io_executor executor) : wake_(executor) {}
  void elect() {
    elected_ = true;
    wake_.raise();
  }
  void depose() {
    elected_ = false;
    wake_.raise();
  }
  Awaitable<Result<LeaderTerm>> campaign() override {
    while (!elected_ && !stopped_) {
      co_await wake_.wait();
    }
    if (stopped_) {
      co_return fail(ErrorCode::kUnavailable, "stopped");
    }
    co_return LeaderTerm(++terms);
  }
  Awaitable<void> hold() override {
    while (elected_ && !stopped_) {
      co_await wake_.wait();
    }
  }
  bool is_certain() const override { return elected_; }
  Awaitable<void> resign() override {
    elected_ = false;
    ++resigned;
    co_return;
  }
  void stop() override {
    stopped_ = true;
    wake_.raise();
  }
  std::uint64_t terms = 0;
  int resigned = 0;

 private:
  WakeSignal wake_;
  bool elected_ = false;
  bool stopped_ = false;
};

class CountedDuty final : public LeaderDuty {
 public:
  Status begin(LeaderTerm term) override {
    if (refuses) {
      return fail(ErrorCode::kConflict, "the directory is in use");
    }
    on = true;
    terms.push_back(term.value());
    return {};
  }
  Awaitable<void> end() override {
    on = false;
    co_return;
  }
  bool on = false;
  bool refuses = false;
  std::vector<std::uint64_t> terms;
};

TEST_F(FrontendTest, TheDutyLastsAsLongAsTheTerm) {
  PreparedLeadership leadership(context_.get_executor());
  CountedDuty duty;
  LeaderLoop loop(context_.get_executor(), leadership, duty, clock_, log_);
  loop.start();
  leadership.elect();
  settle([&] { return duty.on && loop.leads(); });
  leadership.depose();
  settle([&] { return !duty.on && !loop.leads() && leadership.resigned == 1; });
  leadership.elect();
  settle([&] { return duty.on; });
  run(loop.stop());
  EXPECT_FALSE(duty.on);
  EXPECT_EQ(leadership.resigned, 2) << "another server would wait for the lease to run out";
  EXPECT_EQ(duty.terms, (std::vector<std::uint64_t>{1, 2}));
}

class CountedAssignments final : public AgentLink {
 public:
  void assign(core::Assignment assignment) override { hosts.push_back(assignment.host); }
  std::vector<core::HostId> hosts;
};

TEST_F(FrontendTest, WhoIsNotCertainToLeadTellsTheAgentsNothing) {
  PreparedLeadership leadership(context_.get_executor());
  CountedAssignments agents;
  LeaderLink link(agents, &leadership);
  core::Assignment assignment;
  assignment.host = core::HostId("one");
  link.assign(assignment);
  EXPECT_TRUE(agents.hosts.empty());
  leadership.elect();
  link.assign(assignment);
  EXPECT_EQ(agents.hosts.size(), 1u);
  leadership.depose();
  link.assign(assignment);
  EXPECT_EQ(agents.hosts.size(), 1u);
  LeaderLink of_the_only_one(agents, nullptr);
  of_the_only_one.assign(assignment);
  EXPECT_EQ(agents.hosts.size(), 2u);
}

TEST_F(FrontendTest, WhoCannotDoTheDutyLeavesItToOthers) {
  PreparedLeadership leadership(context_.get_executor());
  CountedDuty duty;
  duty.refuses = true;
  LeaderLoop loop(context_.get_executor(), leadership, duty, clock_, log_);
  loop.start();
  leadership.elect();
  settle([&] { return leadership.resigned == 1; });
  EXPECT_FALSE(loop.leads());
  duty.refuses = false;
  leadership.elect();
  settle([&] { return duty.on; });
  run(loop.stop());
}

}  // namespace
}  // namespace hikae::control
