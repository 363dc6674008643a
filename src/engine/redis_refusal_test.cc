#include "engine/redis_refusal.h"

#include <gtest/gtest.h>

namespace hikae::engine {
namespace {

TEST(RedisRefusal, SaysWhetherToAskAgainAndWhyNot) {
  const core::NodeKey node{core::CacheClusterId("foo-001"), core::NodeId("0001")};
  const auto code_of = [&node](std::string text) {
    codec::resp::Value reply;
    reply.type = codec::resp::Value::Type::kError;
    reply.text = std::move(text);
    return engine_refusal(node, "REPLICAOF", reply);
  };
  EXPECT_EQ(code_of("LOADING Redis is loading the dataset in memory").code, ErrorCode::kDenied);
  EXPECT_EQ(code_of("PROMISED not to lead").code, ErrorCode::kConflict);
  EXPECT_EQ(code_of("BUSY Redis is busy running a script").code, ErrorCode::kTimeout);
  EXPECT_EQ(code_of("ERR syntax error").code, ErrorCode::kInvalid);
  EXPECT_EQ(code_of("ERR syntax error").message,
            "node foo-001/0001: REPLICAOF was refused: ERR syntax error");
}

}  // namespace
}  // namespace hikae::engine
