#include "core/admission/user.h"

#include <gtest/gtest.h>

#include "core/admission/cache_test_state.h"
#include "core/admission/tags.h"
#include "core/admission/user_group.h"
#include "core/state/access.h"

namespace hikae::core {
namespace {

NewPassword password(const std::string& text) {
  return NewPassword{text.size(), true, "digest of " + text};
}
const NewPassword kFirst = password("first-password-of-all");
const NewPassword kSecond = password("second-password-of-all");

CreateUser new_user(const std::string& id, const std::string& name) {
  CreateUser command;
  command.id = id;
  command.name = name;
  command.engine = "redis";
  command.access_string = "on ~* +@all";
  command.authentication.no_password_required = true;
  return command;
}

class UserTest : public CacheAdmissionTest {
 protected:
  const User& user(const std::string& id) { return *state_.find<User>(UserId(id)); }
  std::string authenticate(const AuthenticationRequest& request, const std::string& id = "a",
                           const std::string& name = "alice") {
    CreateUser command = new_user(id, name);
    command.authentication = request;
    return perform(command);
  }
  std::string make_group(const std::string& id, const std::string& engine,
                         const std::vector<std::string>& users) {
    return perform(CreateUserGroup{id, engine, users, {}});
  }
};

TEST_F(UserTest, KeepsTheAccessStringAsWritten) {
  CreateUser command = new_user("Alice-1", "alice");
  command.access_string = "on  ~a:*   +GET ";
  command.engine = "REDIS";
  EXPECT_EQ(perform(command), "ok");
  EXPECT_EQ(user("alice-1").access_string, "on  ~a:*   +GET ");
  EXPECT_EQ(user("alice-1").engine, "redis");
  EXPECT_EQ(user("alice-1").status, "active");
  EXPECT_EQ(perform(command), "UserAlreadyExists");
  EXPECT_EQ(perform(new_user("default", "x")), "UserAlreadyExists");
  EXPECT_EQ(perform(new_user("bob", "alice")), "ok") << "names need not be unique";
}

TEST_F(UserTest, RefusesWhatIsNoUser) {
  EXPECT_EQ(perform(new_user("1a", "x")), "InvalidParameterValue");
  EXPECT_EQ(perform(new_user(std::string(41, 'a'), "x")), "InvalidParameterValue");
  for (const char* name : {"", "with blank", "tab\t", "hikae-admin", "hikae-replication"}) {
    EXPECT_EQ(perform(new_user("a", name)), "InvalidParameterValue") << name;
  }
  CreateUser command = new_user("a", "x");
  command.engine = "memcached";
  EXPECT_EQ(perform(command), "InvalidParameterValue");
  command = new_user("a", "x");
  command.access_string = "on >password-in-the-string";
  EXPECT_EQ(perform(command), "InvalidParameterValue");
}

TEST_F(UserTest, ResolvesAuthentication) {
  AuthenticationRequest request;
  EXPECT_EQ(authenticate(request), "InvalidParameterCombination");
  request.passwords = {kFirst, kSecond};
  EXPECT_EQ(authenticate(request), "ok");
  EXPECT_EQ(user("a").hashes, (std::vector{kFirst.sha256, kSecond.sha256}));
  request.no_password_required = true;
  EXPECT_EQ(authenticate(request, "b"), "InvalidParameterCombination");
  request = {};
  request.mode = "password";
  EXPECT_EQ(authenticate(request, "b"), "InvalidParameterValue");
  request.mode_passwords = {kFirst};
  request.no_password_required = false;  // Terraform's provider always sends it
  EXPECT_EQ(authenticate(request, "b"), "ok");
  request.passwords = {kFirst};
  EXPECT_EQ(authenticate(request, "c"), "InvalidParameterCombination");
  request = {};
  request.mode = "no-password-required";
  EXPECT_EQ(authenticate(request, "c"), "ok");
  request.mode_passwords = {kFirst};
  EXPECT_EQ(authenticate(request, "d"), "InvalidParameterCombination");
}

TEST_F(UserTest, RefusesIamWithTheReason) {
  CreateUser command = new_user("a", "other");
  command.authentication = {};
  command.authentication.mode = "iam";
  EXPECT_EQ(message_of(command), "User Id and User name must be same for authentication type: iam");
  command.name = "a";
  EXPECT_EQ(perform(command), "InvalidParameterCombination");
}

TEST_F(UserTest, ChecksPasswords) {
  const auto refused = [&](std::vector<NewPassword> passwords) {
    AuthenticationRequest request;
    request.passwords = std::move(passwords);
    return authenticate(request);
  };
  EXPECT_EQ(refused({}), "InvalidParameterValue");
  EXPECT_EQ(refused({kFirst, kSecond, password("third-password-of-all")}), "InvalidParameterValue");
  EXPECT_EQ(refused({kFirst, kFirst}), "InvalidParameterValue");
  EXPECT_EQ(refused({password(std::string(15, 'x'))}), "InvalidParameterValue");
  EXPECT_EQ(refused({password(std::string(129, 'x'))}), "InvalidParameterValue");
  NewPassword blank = kFirst;
  blank.printable = false;
  EXPECT_EQ(refused({blank}), "InvalidParameterValue");
  EXPECT_EQ(refused({password(std::string(16, 'x')), password(std::string(128, 'x'))}), "ok");
}

TEST_F(UserTest, ValkeyUsersNeedAPassword) {
  CreateUser command = new_user("a", "alice");
  command.engine = "valkey";
  EXPECT_EQ(perform(command), "InvalidParameterCombination");
  command.authentication = {};
  command.authentication.passwords = {kFirst};
  EXPECT_EQ(perform(command), "ok");
  ModifyUser open;
  open.id = "a";
  open.authentication.no_password_required = true;
  EXPECT_EQ(perform(open), "InvalidParameterCombination");
}

TEST_F(UserTest, ModifiesWhatIsGiven) {
  AuthenticationRequest request;
  request.passwords = {kFirst};
  ASSERT_EQ(authenticate(request), "ok");
  ModifyUser command;
  command.id = "A";
  EXPECT_EQ(message_of(command), "No modifications were requested");
  command.append_access_string = "-@dangerous";
  EXPECT_EQ(perform(command), "ok");
  EXPECT_EQ(user("a").access_string, "on ~* +@all -@dangerous");
  EXPECT_EQ(user("a").hashes, std::vector{kFirst.sha256});
  command.access_string = "off";
  EXPECT_EQ(perform(command), "InvalidParameterCombination");
  command.append_access_string.reset();
  command.authentication.passwords = {kSecond};
  EXPECT_EQ(perform(command), "ok");
  EXPECT_EQ(user("a").access_string, "off");
  EXPECT_EQ(user("a").hashes, std::vector{kSecond.sha256});
  EXPECT_EQ(user("a").status, "active") << "no node has it";
  command = {};
  command.id = "a";
  command.append_access_string = "+nonsense";
  EXPECT_EQ(perform(command), "InvalidParameterValue");
  command.id = "nobody";
  EXPECT_EQ(perform(command), "UserNotFound");
  command.id = "default";
  EXPECT_EQ(perform(command), "InvalidParameterValue");
}

TEST_F(UserTest, BecomesAUserOfValkeyAndStaysOne) {
  AuthenticationRequest request;
  request.passwords = {kFirst};
  ASSERT_EQ(authenticate(request), "ok");
  ASSERT_EQ(make_group("g", "redis", {"default", "a"}), "ok");
  ModifyUser command;
  command.id = "a";
  command.engine = "valkey";
  EXPECT_EQ(perform(command), "InvalidParameterCombination") << "its group is of redis";
  ASSERT_EQ(perform(ModifyUserGroup{"g", "valkey", {}, {}}), "ok");
  EXPECT_EQ(perform(command), "ok");
  command.engine = "redis";
  EXPECT_EQ(perform(command), "InvalidParameterCombination");
}

TEST_F(UserTest, DeletedUsersLeaveTheirGroups) {
  ASSERT_EQ(perform(new_user("a", "alice")), "ok");
  ASSERT_EQ(perform(new_user("own", "default")), "ok");
  ASSERT_EQ(make_group("g", "redis", {"own", "a"}), "ok");
  EXPECT_EQ(perform(DeleteUser{"own"}), "DefaultUserAssociatedToUserGroup");
  EXPECT_EQ(perform(DeleteUser{"a"}), "ok");
  EXPECT_EQ(state_.find<UserGroup>(UserGroupId("g"))->users, std::vector{UserId("own")});
  EXPECT_EQ(perform(DeleteUser{"a"}), "UserNotFound");
  EXPECT_EQ(perform(DeleteUser{"default"}), "InvalidParameterValue");
}

TEST_F(UserTest, GroupsOfRedisNeedADefaultUser) {
  ASSERT_EQ(perform(new_user("a", "alice")), "ok");
  ASSERT_EQ(perform(new_user("b", "alice")), "ok");
  ASSERT_EQ(perform(new_user("own", "default")), "ok");
  EXPECT_EQ(make_group("g", "redis", {"a"}), "DefaultUserRequired");
  EXPECT_EQ(make_group("g", "redis", {}), "DefaultUserRequired");
  EXPECT_EQ(make_group("g", "redis", {"default", "own"}), "DuplicateUserName");
  EXPECT_EQ(make_group("g", "redis", {"default", "a", "b"}), "DuplicateUserName");
  EXPECT_EQ(make_group("g", "redis", {"default", "nobody"}), "UserNotFound");
  EXPECT_EQ(make_group("-", "redis", {"default"}), "InvalidParameterValue");
  EXPECT_EQ(make_group("g", "other", {"default"}), "InvalidParameterValue");
  EXPECT_EQ(make_group("G", "redis", {"default", "A"}), "ok");
  EXPECT_EQ(make_group("g", "redis", {"default"}), "UserGroupAlreadyExists");
  EXPECT_EQ(perform(ModifyUserGroup{"g", {}, {}, {"default"}}), "DefaultUserRequired");
  EXPECT_EQ(perform(ModifyUserGroup{"g", {}, {"own"}, {"default"}}), "ok") << "it is replaced";
}

TEST_F(UserTest, GroupsOfValkeyTakeUsersOfBothEngines) {
  CreateUser command = new_user("v", "val");
  command.engine = "valkey";
  command.authentication = {};
  command.authentication.passwords = {kFirst};
  ASSERT_EQ(perform(command), "ok");
  ASSERT_EQ(perform(new_user("a", "alice")), "ok");
  EXPECT_EQ(make_group("r", "redis", {"default", "v"}), "InvalidParameterValue");
  EXPECT_EQ(make_group("g", "valkey", {"v", "a"}), "ok");
  EXPECT_EQ(make_group("empty", "valkey", {}), "ok");
  EXPECT_EQ(perform(ModifyUserGroup{"g", "redis", {}, {}}), "InvalidParameterCombination");
}

TEST_F(UserTest, ModifiesGroups) {
  ASSERT_EQ(perform(new_user("a", "alice")), "ok");
  ASSERT_EQ(make_group("g", "redis", {"default"}), "ok");
  EXPECT_EQ(message_of(ModifyUserGroup{"g", {}, {}, {}}), "No modifications were requested");
  EXPECT_EQ(perform(ModifyUserGroup{"nobody", {}, {"a"}, {}}), "UserGroupNotFound");
  EXPECT_EQ(perform(ModifyUserGroup{"g", {}, {"nobody"}, {}}), "UserNotFound");
  EXPECT_EQ(perform(ModifyUserGroup{"g", {}, {}, {"a"}}), "UserNotFound") << "not in it";
  EXPECT_EQ(perform(ModifyUserGroup{"g", {}, {"a"}, {}}), "ok");
  EXPECT_EQ(perform(ModifyUserGroup{"g", {}, {"a"}, {}}), "DuplicateUserName");
  const UserGroup& group = *state_.find<UserGroup>(UserGroupId("g"));
  EXPECT_EQ(group.users, (std::vector{UserId("default"), UserId("a")}));
  EXPECT_EQ(group.status, "active") << "no node has it";
  EXPECT_TRUE(group.adding.empty());
  EXPECT_EQ(perform(DeleteUserGroup{"G"}), "ok");
  EXPECT_EQ(perform(DeleteUserGroup{"g"}), "UserGroupNotFound");
}

TEST_F(UserTest, QuotasHold) {
  std::vector<std::string> users = {"default"};
  for (std::size_t i = 0; i < kMaxUsersPerGroup; ++i) {
    users.push_back("u" + std::to_string(i));
    ASSERT_EQ(perform(new_user(users.back(), users.back())), "ok");
  }
  EXPECT_EQ(make_group("g", "redis", users), "UserGroupQuotaExceeded");
  users.pop_back();
  EXPECT_EQ(make_group("g", "redis", users), "ok");
  for (std::size_t i = kMaxUsersPerGroup; i < kMaxUsers; ++i) {
    put(User{UserId("u" + std::to_string(i)), "x", "redis", "active", "on", {}, {}});
  }
  EXPECT_EQ(perform(new_user("one-more", "x")), "UserQuotaExceeded");
  for (std::size_t i = 1; i < kMaxUserGroups; ++i) {
    put(UserGroup{UserGroupId("g" + std::to_string(i)), "valkey", "active", {}, {}, {}, {}});
  }
  EXPECT_EQ(make_group("one-more", "valkey", {}), "UserGroupQuotaExceeded");
}

TEST_F(UserTest, TagsAreOfUsersAndGroups) {
  ASSERT_EQ(perform(new_user("a", "alice")), "ok");
  ASSERT_EQ(make_group("g", "redis", {"default"}), "ok");
  const std::string arn = "arn:aws:elasticache:ap-northeast-1:123456789012:";
  for (const char* name : {"user:a", "usergroup:g"}) {
    EXPECT_EQ(perform(AddTags{arn + name, {{"k", "v"}}}), "ok");
    EXPECT_EQ(tags_of(state_, arn + name), (Tags{{"k", "v"}}));
    EXPECT_EQ(perform(RemoveTags{arn + name, {"k"}}), "ok");
    EXPECT_EQ(tags_of(state_, arn + name), Tags());
  }
  EXPECT_EQ(perform(AddTags{arn + "user:nobody", {{"k", "v"}}}), "UserNotFound");
  EXPECT_EQ(perform(AddTags{arn + "usergroup:nobody", {{"k", "v"}}}), "UserGroupNotFound");
  EXPECT_EQ(perform(AddTags{arn + "user:default", {{"k", "v"}}}), "InvalidParameterValue");
  EXPECT_EQ(tags_of(state_, arn + "user:default"), Tags());
}

}  // namespace
}  // namespace hikae::core
