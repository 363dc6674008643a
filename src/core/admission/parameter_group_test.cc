#include "core/admission/parameter_group.h"

#include <algorithm>

#include "core/admission/cache_test_state.h"
#include "core/state/events.h"

namespace hikae::core {
namespace {

class ParameterGroupTest : public CacheAdmissionTest {
 protected:
  void create(const std::string& name, const std::string& family) {
    ASSERT_EQ(perform(CreateParameterGroup{name, family, "d", {}}), "ok");
  }
  std::string value(const std::string& group, const std::string& parameter) {
    const auto view = find_parameter_group(state_, group);
    return std::string(view->value(*find_parameter(*view->family, parameter)).value_or("<none>"));
  }
  std::string parameter_status(const std::string& cluster) {
    return state_.find<CacheCluster>(CacheClusterId(cluster))->nodes[0].parameter_status;
  }
};

TEST_F(ParameterGroupTest, DefaultGroupsComeFromTheCatalog) {
  const auto plain = find_parameter_group(state_, "default.Redis5.0");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->description(), "Default parameter group for redis5.0");
  EXPECT_FALSE(plain->cluster_enabled());
  const auto clustered = find_parameter_group(state_, "default.redis5.0.cluster.on");
  ASSERT_TRUE(clustered);
  EXPECT_EQ(clustered->description(),
            "Customized default parameter group for redis5.0 with cluster mode on");
  EXPECT_TRUE(clustered->cluster_enabled());
  EXPECT_FALSE(find_parameter_group(state_, "default.redis2.8.cluster.on"));
}

TEST_F(ParameterGroupTest, TheListIsSortedAndHoldsBothKinds) {
  create("Mine", "redis2.8");
  const auto groups = list_parameter_groups(state_);
  EXPECT_TRUE(std::is_sorted(groups.begin(), groups.end(),
                             [](const auto& a, const auto& b) { return a.name < b.name; }));
  EXPECT_EQ(std::count_if(groups.begin(), groups.end(),
                          [](const auto& group) { return group.name == "mine"; }),
            1);
  EXPECT_EQ(groups.size(), 13u + 8u + 1u);  // families, .cluster.on, ours
}

TEST_F(ParameterGroupTest, CreationChecksNameFamilyAndRepetition) {
  EXPECT_EQ(message_of(CreateParameterGroup{"a", "redis99", "d", {}}),
            "CacheParameterGroupFamily redis99 is not a valid parameter group family");
  EXPECT_EQ(perform(CreateParameterGroup{"a--b", "redis2.8", "d", {}}), "InvalidParameterValue");
  create("a", "redis2.8");
  EXPECT_EQ(message_of(CreateParameterGroup{"A", "redis2.8", "d", {}}),
            "Parameter group a already exists");
}

TEST_F(ParameterGroupTest, AnImmediateChangeIsStoredAndToldOnce) {
  create("mine", "redis2.8");
  add_cluster("c", "sg", "mine", "subnet-1");
  const ModifyParameterGroup modify{"mine", {{"maxmemory-policy", "noeviction"}}};
  ASSERT_EQ(perform(modify), "ok");
  EXPECT_EQ(value("mine", "maxmemory-policy"), "noeviction");
  EXPECT_EQ(parameter_status("c"), "applying");
  ASSERT_EQ(state_.all<Event>().size(), 1u);
  EXPECT_EQ(state_.all<Event>().begin()->second.source_type, kSourceParameterGroup);
  EXPECT_TRUE(decide(modify)->empty()) << "the same values again change nothing";
}

TEST_F(ParameterGroupTest, ARequiresRebootChangeMarksTheNodesOfTheGroupOnly) {
  create("mine", "redis2.8");
  add_cluster("c", "sg", "mine", "subnet-1");
  add_cluster("other", "sg", "default.redis2.8", "subnet-1");
  ASSERT_EQ(perform(ModifyParameterGroup{"mine", {{"databases", "32"}}}), "ok");
  EXPECT_EQ(parameter_status("c"), "pending-reboot");
  EXPECT_EQ(parameter_status("other"), "in-sync");
}

TEST_F(ParameterGroupTest, ChangesAreValidated) {
  create("mine", "redis5.0");
  const auto modify = [this](const std::string& name, const std::string& text) {
    return message_of(ModifyParameterGroup{"mine", {{name, text}}});
  };
  EXPECT_EQ(modify("no-such", "1"), "Parameter no-such doesn't exist");
  EXPECT_EQ(modify("appendonly", "yes"), "The parameter appendonly cannot be modified.");
  EXPECT_EQ(modify("timeout", "10"),
            "Invalid parameter value: 10 for: timeout allowed values are: 0,20-");
  EXPECT_EQ(modify("timeout", "20"), "ok");
  EXPECT_EQ(perform(ModifyParameterGroup{"mine", {}}), "InvalidParameterValue");
  ModifyParameterGroup many{"mine", {}};
  many.values.assign(kMaxParametersPerCall + 1, {"timeout", "20"});
  EXPECT_EQ(perform(many), "InvalidParameterValue");
  EXPECT_EQ(perform(ModifyParameterGroup{"other", {{"timeout", "20"}}}),
            "CacheParameterGroupNotFound");
}

TEST_F(ParameterGroupTest, OneBadValueLeavesTheWholeCallUndone) {
  create("mine", "redis5.0");
  EXPECT_EQ(perform(ModifyParameterGroup{"mine", {{"timeout", "20"}, {"timeout", "x"}}}),
            "InvalidParameterValue");
  EXPECT_EQ(value("mine", "timeout"), "0");
}

TEST_F(ParameterGroupTest, SomeParametersCanBeSetWhileNoClusterUsesTheGroup) {
  create("mine", "redis5.0");
  EXPECT_EQ(perform(ModifyParameterGroup{"mine", {{"cluster-enabled", "yes"}}}), "ok");
  EXPECT_TRUE(find_parameter_group(state_, "mine")->cluster_enabled());
  add_cluster("c", "sg", "mine", "subnet-1");
  EXPECT_EQ(perform(ModifyParameterGroup{"mine", {{"cluster-enabled", "no"}}}),
            "InvalidCacheParameterGroupState");
}

TEST_F(ParameterGroupTest, ResetBringsDefaultsBack) {
  create("mine", "redis2.8");
  ASSERT_EQ(perform(ModifyParameterGroup{"mine", {{"timeout", "20"}, {"databases", "32"}}}), "ok");
  add_cluster("c", "sg", "mine", "subnet-1");
  ASSERT_EQ(perform(ResetParameterGroup{"mine", false, {"timeout"}}), "ok");
  EXPECT_EQ(value("mine", "timeout"), "0");
  EXPECT_EQ(value("mine", "databases"), "32");
  EXPECT_EQ(parameter_status("c"), "applying");
  ASSERT_EQ(perform(ResetParameterGroup{"mine", true, {}}), "ok");
  EXPECT_EQ(value("mine", "databases"), "16");
  EXPECT_EQ(parameter_status("c"), "pending-reboot");
  EXPECT_EQ(perform(ResetParameterGroup{"mine", false, {}}), "InvalidParameterValue");
  EXPECT_EQ(perform(ResetParameterGroup{"mine", true, {"timeout"}}), "InvalidParameterCombination");
}

TEST_F(ParameterGroupTest, DefaultGroupsNeverChange) {
  EXPECT_EQ(perform(ModifyParameterGroup{"default.redis2.8", {{"timeout", "20"}}}),
            "InvalidParameterValue");
  EXPECT_EQ(perform(ResetParameterGroup{"default.redis2.8", true, {}}), "InvalidParameterValue");
  EXPECT_EQ(message_of(DeleteParameterGroup{"default.redis2.8"}).substr(0, 66),
            "The parameter CacheParameterGroupName is not a valid identifier. I");
}

TEST_F(ParameterGroupTest, DeletionIsRefusedWhileClustersUseTheGroup) {
  create("mine", "redis2.8");
  add_cluster("c", "sg", "mine", "subnet-1");
  EXPECT_EQ(message_of(DeleteParameterGroup{"mine"}),
            "One or more cache clusters are still members of this parameter group mine, so the "
            "group cannot be deleted.");
  Transition gone;
  gone.remove<CacheCluster>(CacheClusterId("c"));
  apply(gone);
  EXPECT_EQ(perform(DeleteParameterGroup{"mine"}), "ok");
  EXPECT_EQ(message_of(DeleteParameterGroup{"mine"}), "CacheParameterGroupnot found: mine");
}

}  // namespace
}  // namespace hikae::core
