#include "core/reconcile/node_action.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/reconcile/hosts_file.h"

namespace hikae::core {
namespace {

NodeAssignment replica() {
  NodeAssignment a;
  a.node = NodeKey{CacheClusterId("foo-002"), NodeId("0001")};
  a.group = ReplicationGroupId("foo");
  a.engine = "valkey";
  a.role = Role::kReplica;
  a.primary_name = "foo.internal";
  a.primary_address = *Ipv4::parse("127.64.0.4");
  a.attach = true;
  a.directives = {{"maxmemory", "1"}};
  return a;
}

NodeKnowledge settled(const NodeAssignment& a) {
  NodeKnowledge k;
  k.directory = k.running = k.answers = k.private_hosts = true;
  k.generation = a.generation;
  k.role = a.role;
  k.following = a.role == Role::kReplica ? a.primary_name : "";
  k.link_up = a.role == Role::kReplica;
  k.followed_epoch = a.role == Role::kReplica ? a.epoch : Epoch(0);
  k.hosts_file = render_hosts_file(a);
  k.directives = a.directives;
  k.access = a.access;
  k.users = a.users;
  return k;
}

NodeActionKind next(const NodeAssignment& a, const NodeKnowledge& k) {
  return next_node_action(a, k).kind;
}

TEST(NodeAction, SettledNodeIsLeftAlone) {
  EXPECT_EQ(next(replica(), settled(replica())), NodeActionKind::kNone);
}

TEST(NodeAction, ChangedTokensAreToldToAReplicaWhoseLinkIsDownToo) {
  NodeAssignment a = replica();
  NodeKnowledge k = settled(a);
  a.access = {"required", {"digest"}, false};
  EXPECT_EQ(next(a, k), NodeActionKind::kApplyAccess);
  k.link_up = false;
  EXPECT_EQ(next(a, k), NodeActionKind::kApplyAccess);
  k.answers = false;
  EXPECT_EQ(next(a, k), NodeActionKind::kAwait);
  EXPECT_EQ(next(a, settled(a)), NodeActionKind::kNone);
}

TEST(NodeAction, HowClientsComeIsNothingThatARunningEngineIsTold) {
  NodeAssignment a = replica();
  const NodeKnowledge k = settled(a);
  a.access.transit_encryption = "preferred";
  EXPECT_EQ(next(a, k), NodeActionKind::kNone);
}

TEST(NodeAction, AReplicaFollowsByTlsWhereBothHaveIt) {
  NodeAssignment a = replica();
  a.access.transit_encryption = "required";
  NodeKnowledge k = settled(a);
  EXPECT_EQ(next(a, k), NodeActionKind::kNone) << "adopted, and its link is up";
  k.followed_encrypted = true;
  EXPECT_EQ(next(a, k), NodeActionKind::kNone);
  a.primary_plain = true;
  EXPECT_EQ(next(a, k), NodeActionKind::kFollow);
  k.followed_encrypted = false;
  EXPECT_EQ(next(a, k), NodeActionKind::kNone);
  // What it was started with counts, not what it is to be.
  a.primary_plain = false;
  k.access.transit_encryption = "";
  EXPECT_EQ(next(a, k), NodeActionKind::kNone);
}

TEST(NodeAction, OldGenerationIsKilledBeforeAnythingElseIsDoneToIt) {
  NodeKnowledge k = settled(replica());
  NodeAssignment a = replica();
  a.generation = 2;
  a.directives.set("maxmemory", "2");
  EXPECT_EQ(next(a, k), NodeActionKind::kKill);
  k.running = false;
  EXPECT_EQ(next(a, k), NodeActionKind::kStart);
}

TEST(NodeAction, ADeadReplicaLetsTheNewPrimaryGoFirstUnlessItIsRebooted) {
  NodeAssignment a = replica();
  a.hold = true;
  NodeKnowledge k = settled(a);
  k.running = false;
  k.crashed = true;
  EXPECT_EQ(next(a, k), NodeActionKind::kNone);
  a.generation = k.generation + 1;
  EXPECT_EQ(next(a, k), NodeActionKind::kStart);
}

TEST(NodeAction, ThatAPrimaryMayComeBackIsSaidOfOneEndOfIt) {
  NodeAssignment a = replica();
  a.role = Role::kPrimary;
  a.start_limit = 2;
  NodeKnowledge k = settled(a);
  k.running = false;
  k.crashed = true;
  k.starts = 1;
  EXPECT_EQ(next(a, k), NodeActionKind::kStart);
  k.starts = 2;
  EXPECT_EQ(next(a, k), NodeActionKind::kNone) << "its agent may not have heard what is said now";
  a.start_limit = 0;
  EXPECT_EQ(next(a, k), NodeActionKind::kStart);
  a.start_limit = 2;
  a.generation = k.generation + 1;
  EXPECT_EQ(next(a, k), NodeActionKind::kStart) << "a reboot that its owner asked for";
}

TEST(NodeAction, TheOnlyCopyIsSavedBeforeItsProcessEnds) {
  NodeAssignment a = replica();
  a.role = Role::kPrimary;
  a.generation = 2;
  a.keep_data = true;
  NodeKnowledge k = settled(a);
  k.generation = 1;
  EXPECT_EQ(next(a, k), NodeActionKind::kSave);
  k.loading = true;
  EXPECT_EQ(next(a, k), NodeActionKind::kAwait) << "it has nothing to save yet";
  k.answers = false;
  EXPECT_EQ(next(a, k), NodeActionKind::kAwait);
  k.hung = true;
  EXPECT_EQ(next(a, k), NodeActionKind::kKill);
  k.running = k.hung = false;
  EXPECT_EQ(next(a, k), NodeActionKind::kStart);
  a.role = Role::kReplica;
  EXPECT_EQ(next(a, settled(replica())), NodeActionKind::kKill) << "its primary has it all";
}

TEST(NodeAction, SomeDirectivesWaitForARestart) {
  EXPECT_FALSE(wait_for_restart({{"maxmemory", "1"}}, {{"maxmemory", "2"}}));
  EXPECT_TRUE(wait_for_restart({{"databases", "16"}}, {{"databases", "32"}}));
  EXPECT_TRUE(wait_for_restart({}, {{"databases", "32"}}));
  EXPECT_FALSE(wait_for_restart({{"databases", "16"}}, {}));
}

TEST(NodeAction, MovedPrimaryChangesTheHostsFileBeforeTheLink) {
  NodeAssignment a = replica();
  a.primary_address = *Ipv4::parse("127.64.0.9");
  NodeKnowledge k = settled(replica());
  k.following = "elsewhere";
  EXPECT_EQ(next(a, k), NodeActionKind::kUpdateHosts);
  k.hosts_file = render_hosts_file(a);
  EXPECT_EQ(next(a, k), NodeActionKind::kFollow);
}

TEST(NodeAction, WithoutPrivateHostsTheAddressIsFollowed) {
  NodeAssignment a = replica();
  NodeKnowledge k = settled(a);
  k.private_hosts = false;
  k.hosts_file.clear();
  k.following = "127.64.0.4";
  EXPECT_EQ(next(a, k), NodeActionKind::kNone);
  a.primary_address = *Ipv4::parse("127.64.0.9");
  EXPECT_EQ(next(a, k), NodeActionKind::kFollow);
}

TEST(NodeAction, AStreamThatHasNotBegunAfterTheCopyIsConnectedAnew) {
  const NodeAssignment a = replica();
  NodeKnowledge k = settled(a);
  k.link_up = false;
  k.stream_pending = true;
  EXPECT_EQ(next(a, k), NodeActionKind::kFollow);
}

TEST(NodeAction, ThePaceFollowsTheNeedsOfSynchronisation) {
  NodeAssignment a = replica();
  a.brisk = true;
  NodeKnowledge k = settled(a);
  EXPECT_EQ(next(a, k), NodeActionKind::kSetPace);
  k.brisk = true;
  EXPECT_EQ(next(a, k), NodeActionKind::kNone);
  a.brisk = false;
  EXPECT_EQ(next(a, k), NodeActionKind::kSetPace);
  k.brisk.reset();  // adopted: what it was told before is not worth a call
  EXPECT_EQ(next(a, k), NodeActionKind::kNone);
}

TEST(NodeAction, ANewEpochMakesAReplicaConnectAnewEvenByTheSameName) {
  NodeAssignment a = replica();
  const NodeKnowledge k = settled(a);
  a.epoch = a.epoch.next();
  EXPECT_EQ(next(a, k), NodeActionKind::kFollow);
}

TEST(NodeAction, ARestartWaitsWhileTheProcessMayHoldTheLastCopy) {
  NodeAssignment a = replica();
  NodeKnowledge k = settled(a);
  a.generation = k.generation + 1;
  a.keep_running = true;
  EXPECT_EQ(next(a, k), NodeActionKind::kNone);
  a.keep_running = false;
  EXPECT_EQ(next(a, k), NodeActionKind::kKill);
}

TEST(NodeAction, ADeadPrimaryIsHeldForTheFailoverUnlessARebootWasAskedFor) {
  NodeAssignment a = replica();
  a.role = Role::kPrimary;
  a.hold = true;
  NodeKnowledge k = settled(a);
  k.running = k.answers = false;
  EXPECT_EQ(next(a, k), NodeActionKind::kNone);
  a.generation = k.generation + 1;
  EXPECT_EQ(next(a, k), NodeActionKind::kStart);
  k.generation = 0;  // unknown: no proof that a reboot is owed
  EXPECT_EQ(next(a, k), NodeActionKind::kNone);
}

TEST(NodeAction, AHungPrimaryIsKilledOnlyWhenAReplicaCanTakeOver) {
  NodeAssignment a = replica();
  a.role = Role::kPrimary;
  NodeKnowledge k = settled(a);
  k.hung = true;
  a.hold = true;
  EXPECT_EQ(next(a, k), NodeActionKind::kNone);
  a.replaceable = true;
  EXPECT_EQ(next(a, k), NodeActionKind::kKill);
}

TEST(NodeAction, NobodyIsPromotedBesideAnotherThatTakesWrites) {
  NodeAssignment a = replica();
  NodeKnowledge k = settled(a);
  a.role = Role::kPrimary;
  a.may_promote = false;
  EXPECT_EQ(next(a, k), NodeActionKind::kAwait);
  a.may_promote = true;
  EXPECT_EQ(next(a, k), NodeActionKind::kPromote);
}

TEST(NodeAction, OneThatCameBackEmptySinceItWasChosenIsKilledWhenThatIsAskedFor) {
  NodeAssignment a = replica();
  NodeKnowledge k = settled(a);
  a.kill = true;
  EXPECT_EQ(next(a, k), NodeActionKind::kNone) << "a replica never is";
  a.role = Role::kPrimary;
  EXPECT_EQ(next(a, k), NodeActionKind::kKill);
  EXPECT_EQ(next_node_action(a, k).reason, "it came back empty since it was chosen");
}

TEST(NodeAction, TheProcessAfterTheOneThatWasChosenIsNotPromoted) {
  NodeAssignment a = replica();
  NodeKnowledge k = settled(a);
  a.role = Role::kPrimary;
  a.start_limit = 2;
  k.starts = 2;
  EXPECT_EQ(next(a, k), NodeActionKind::kPromote);
  k.starts = 3;
  EXPECT_EQ(next(a, k), NodeActionKind::kAwait) << "whoever chose it has not heard of that yet";
  a.start_limit = 3;
  EXPECT_EQ(next(a, k), NodeActionKind::kPromote);
}

TEST(NodeAction, WhomItsKeeperHasStoppedIsKilledWhenAnotherLeads) {
  NodeKnowledge k = settled(replica());
  k.kept = k.halted = true;
  k.role = Role::kPrimary;
  k.answers = false;
  EXPECT_EQ(next(replica(), k), NodeActionKind::kKill) << "it would still take what was sent to it";
}

TEST(NodeAction, WhomItsKeeperHasStoppedIsWaitedForWhileItShouldLead) {
  NodeAssignment a = replica();
  a.role = Role::kPrimary;
  a.lease = a.kept = a.replaceable = true;
  NodeKnowledge k = settled(a);
  k.kept = k.halted = true;
  k.answers = false;
  k.hosts_file.clear();  // nothing else is done to it
  EXPECT_EQ(next(a, k), NodeActionKind::kAwait);
}

TEST(NodeAction, OneWithAKeeperIsPromotedWhenItsLeaseRuns) {
  NodeKnowledge k = settled(replica());
  k.kept = true;
  NodeAssignment a = replica();
  a.role = Role::kPrimary;
  a.lease = true;
  EXPECT_EQ(next(a, k), NodeActionKind::kAwait) << "it would be stopped at once";
  k.lease_runs = true;
  EXPECT_EQ(next(a, k), NodeActionKind::kPromote);
}

TEST(NodeAction, OneWithAKeeperThatNeedsNoLeaseIsPromotedAtOnce) {
  NodeKnowledge k = settled(replica());
  k.kept = true;
  NodeAssignment a = replica();
  a.role = Role::kPrimary;
  EXPECT_EQ(next(a, k), NodeActionKind::kPromote);
}

TEST(NodeAction, OneWithTheModuleIsPromotedBeforeItHasALease) {
  const NodeKnowledge k = settled(replica());
  NodeAssignment a = replica();
  a.role = Role::kPrimary;
  a.lease = true;
  EXPECT_EQ(next(a, k), NodeActionKind::kPromote) << "it refuses writes until then";
}

TEST(NodeAction, WritesAreHeldBackForASwitchoverAndTakenAgainAfterIt) {
  NodeAssignment a = replica();
  a.role = Role::kPrimary;
  NodeKnowledge k = settled(a);
  a.pause_writes = true;
  EXPECT_EQ(next(a, k), NodeActionKind::kPauseWrites);
  k.writes_paused = true;
  EXPECT_EQ(next(a, k), NodeActionKind::kNone);
  a.pause_writes = false;
  EXPECT_EQ(next(a, k), NodeActionKind::kResumeWrites);
}

TEST(NodeAction, UnattachedReplicaNeverStaysWritableAndNeverLosesALinkItHas) {
  NodeAssignment a = replica();
  a.attach = false;
  NodeKnowledge k = settled(a);
  k.role = Role::kPrimary;
  k.link_up = false;
  EXPECT_EQ(next(a, k), NodeActionKind::kFollow);
  k.role = Role::kReplica;
  k.following = "somewhere";
  EXPECT_EQ(next(a, k), NodeActionKind::kNone);
}

TEST(NodeAction, ReplicaThatBecomesPrimaryIsPromoted) {
  NodeAssignment a = replica();
  const NodeKnowledge k = settled(a);
  a.role = Role::kPrimary;
  EXPECT_EQ(next(a, k), NodeActionKind::kPromote);
}

TEST(NodeAction, APromotionDoesNotWaitForTheHostsFile) {
  const NodeKnowledge k = settled(replica());
  NodeAssignment a = replica();
  a.role = Role::kPrimary;
  a.primary_address = *Ipv4::parse("127.64.0.5");
  EXPECT_EQ(next(a, k), NodeActionKind::kPromote);
  a.may_promote = false;
  EXPECT_EQ(next(a, k), NodeActionKind::kUpdateHosts);
}

TEST(NodeAction, OnlyAReplicaSendsAwayClientsThatLookForThePrimaryItWas) {
  NodeKnowledge k = settled(replica());
  k.clients_astray = true;
  EXPECT_EQ(next(replica(), k), NodeActionKind::kSendClientsAway);
  NodeAssignment promoted = replica();
  promoted.role = k.role = Role::kPrimary;
  EXPECT_EQ(next(promoted, k), NodeActionKind::kNone);
}

TEST(NodeAction, OnlyDirectivesThatChangeLiveAreApplied) {
  NodeAssignment a = replica();
  const NodeKnowledge k = settled(a);
  a.directives.set("databases", "4");
  EXPECT_EQ(next(a, k), NodeActionKind::kNone);
  a.directives.set("maxmemory", "2");
  EXPECT_EQ(next(a, k), NodeActionKind::kApplyDirectives);
  const std::map<std::string, std::string> expected = {{"maxmemory", "2"}};
  EXPECT_EQ(live_changes(k.directives, a.directives), expected);
}

TEST(NodeAction, DissolvesStepByStep) {
  NodeKnowledge k = settled(replica());
  EXPECT_EQ(next_node_action(std::nullopt, k).kind, NodeActionKind::kRetire);
  k.running = false;
  EXPECT_EQ(next_node_action(std::nullopt, k).kind, NodeActionKind::kRemove);
  k.directory = false;
  EXPECT_EQ(next_node_action(std::nullopt, k).kind, NodeActionKind::kForget);
}

TEST(NodeAction, ADyingProcessRefusesClientsAndLetsThemGoWhenTheyCanGoElsewhere) {
  NodeAssignment a = replica();
  NodeKnowledge k = settled(a);
  k.dying = true;
  EXPECT_EQ(next(a, k), NodeActionKind::kAwait) << "not permitted on this machine";
  k.socket_resets = true;
  EXPECT_EQ(next(a, k), NodeActionKind::kRefuseClients);
  k.refuses = true;
  EXPECT_EQ(next(a, k), NodeActionKind::kAwait);
  a.release_clients = true;
  EXPECT_EQ(next(a, k), NodeActionKind::kFreeClients);
  k.clients_freed = true;
  EXPECT_EQ(next(a, k), NodeActionKind::kAwait);
  EXPECT_EQ(next_node_action(std::nullopt, k).kind, NodeActionKind::kAwait) << "not killed twice";
}

// Performs an action the way a healthy engine would take it.
void perform(NodeActionKind kind, const NodeAssignment& a, NodeKnowledge& k) {
  switch (kind) {
    case NodeActionKind::kStart:
      k.directory = k.running = true;
      k.crashed = k.answers = k.link_up = false;
      k.generation = a.generation;
      k.hosts_file = render_hosts_file(a);
      k.directives = a.directives;
      k.role = Role::kPrimary;
      break;
    case NodeActionKind::kKill:
      k.running = k.answers = false;
      break;
    case NodeActionKind::kUpdateHosts:
      k.hosts_file = render_hosts_file(a);
      break;
    case NodeActionKind::kAwait:
      k.answers = true;
      k.loading = false;
      k.link_up = k.role == Role::kReplica;
      break;
    case NodeActionKind::kFollow:
      k.role = Role::kReplica;
      k.followed_epoch = a.attach ? a.epoch : Epoch(0);
      k.following = a.attach ? follow_target(a, k.private_hosts) : "nobody";
      break;
    case NodeActionKind::kPromote:
      k.role = Role::kPrimary;
      break;
    case NodeActionKind::kApplyDirectives:
      k.directives = a.directives;
      break;
    default:
      break;
  }
}

RC_GTEST_PROP(NodeAction, SettlesFromAnywhereInFewSteps, ()) {
  NodeAssignment a = replica();
  a.generation = *rc::gen::inRange<std::uint64_t>(1, 4);
  a.role = *rc::gen::element(Role::kPrimary, Role::kReplica);
  a.attach = *rc::gen::arbitrary<bool>();
  NodeKnowledge k;
  k.directory = *rc::gen::arbitrary<bool>();
  k.running = k.directory && *rc::gen::arbitrary<bool>();
  k.generation = *rc::gen::inRange<std::uint64_t>(0, 4);
  k.answers = *rc::gen::arbitrary<bool>();
  k.loading = *rc::gen::arbitrary<bool>();
  k.role = *rc::gen::element(Role::kPrimary, Role::kReplica);
  k.following = *rc::gen::element<std::string>("", "foo.internal", "127.64.0.4");
  k.private_hosts = *rc::gen::arbitrary<bool>();
  int steps = 0;
  NodeAction action = next_node_action(a, k);
  while (action.kind != NodeActionKind::kNone) {
    RC_ASSERT(++steps < 10);
    RC_ASSERT(!action.reason.empty());
    perform(action.kind, a, k);
    action = next_node_action(a, k);
  }
  RC_ASSERT(k.running);
  RC_ASSERT(k.role == a.role);
  RC_ASSERT(k.generation >= a.generation);
}

}  // namespace
}  // namespace hikae::core
