#include "engine/redis_access.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/strings.h"
#include "engine/secrets.h"

namespace hikae::engine {
namespace {

core::NodeAssignment with(SharedMap users) {
  core::NodeAssignment out;
  out.users = std::move(users);
  return out;
}

TEST(RedisAccess, WithoutUsersAnybodyComesInAsDefault) {
  EXPECT_EQ(render_users(with({})), "user default " + std::string(client_rules()) + "\n");
  const auto commands = commands_for_users(with({}), {"default", "hikae-admin", "alice"});
  ASSERT_EQ(commands.size(), 2u);
  EXPECT_EQ(commands[0], (Command{"ACL", "DELUSER", "alice"}));
  EXPECT_EQ(join(commands[1], " "), "ACL SETUSER default reset " + std::string(client_rules()));
}

TEST(RedisAccess, TokensAreAskedForUnlessTheyAreOptional) {
  core::NodeAssignment node;
  node.access = {"required", {"aa", "bb"}, false};
  EXPECT_TRUE(join(commands_for_users(node, {})[0], " ").ends_with(" #aa #bb"));
  EXPECT_TRUE(render_users(node).ends_with(" #aa #bb\n"));
  node.access.token_optional = true;
  EXPECT_EQ(render_users(node), render_users(with({})));
}

TEST(RedisAccess, RefusedCommandsComeBehindWhatIsAllowed) {
  const auto text = render_users(with({{"alice", "#0123 on ~* +@all +config"}}));
  EXPECT_TRUE(text.starts_with("user alice #0123 on ~* +@all +config -bgrewriteaof "));
  for (const char* refused : {" -config", " -debug", " -acl|setuser", " -shutdown", " -failover"}) {
    EXPECT_NE(text.find(refused), std::string::npos) << refused;
  }
}

TEST(RedisAccess, WordsOfAConfigurationFileAreQuoted) {
  const auto text = render_users(with({{"we\"ird", "on ~a\\*b ~it's"}}));
  EXPECT_TRUE(text.starts_with("user \"we\\\"ird\" on \"~a\\\\*b\" \"~it's\" -")) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

TEST(RedisAccess, EveryUserIsSetWholeAndOursStay) {
  const auto commands = commands_for_users(
      with({{"alice", "#0123 on +get"}, {"default", "off"}}),
      {"default", "bob", std::string(kAdminUser), std::string(kReplicationUser)});
  ASSERT_EQ(commands.size(), 3u);
  EXPECT_EQ(commands[0], (Command{"ACL", "DELUSER", "bob"}));
  EXPECT_TRUE(join(commands[1], " ").starts_with("ACL SETUSER alice reset #0123 on +get -"));
  EXPECT_TRUE(join(commands[2], " ").starts_with("ACL SETUSER default reset off -"));
}

}  // namespace
}  // namespace hikae::engine
