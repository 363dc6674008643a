#include "engine/redis_slow_log.h"

#include <gtest/gtest.h>

namespace hikae::engine {
namespace {

using codec::resp::Value;

Value number(std::int64_t value) {
  Value out;
  out.type = Value::Type::kInteger;
  out.integer = value;
  return out;
}

Value text(std::string value) {
  Value out;
  out.type = Value::Type::kBulk;
  out.text = std::move(value);
  return out;
}

Value list(std::vector<Value> items) {
  Value out;
  out.type = Value::Type::kArray;
  out.items = std::move(items);
  return out;
}

Value entry(std::int64_t id, std::vector<Value> words) {
  return list({number(id), number(1'700'000'000 + id), number(15'000), list(std::move(words)),
               text("127.0.0.1:5000"), text("app")});
}

TEST(SlowLog, IsReadOldestFirstBehindWhatIsKnown) {
  const Value reply = list({entry(5, {text("SET"), text("key"), text("secret")}),
                            entry(4, {text("PING")}), entry(3, {text("GET"), text("key")})});
  const auto all = parse_slow_log(reply, -1);
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 3u);
  EXPECT_EQ((*all)[0].id, 3);
  EXPECT_EQ((*all)[2].command, "SET");
  EXPECT_EQ((*all)[2].arguments, 2u);
  EXPECT_EQ((*all)[1].arguments, 0u);
  EXPECT_EQ((*all)[2].microseconds, 15'000);
  EXPECT_EQ((*all)[2].client_address, "127.0.0.1:5000");
  EXPECT_EQ((*all)[2].client_name, "app");
  const auto rest = parse_slow_log(reply, 4);
  ASSERT_TRUE(rest);
  ASSERT_EQ(rest->size(), 1u);
  EXPECT_EQ(rest->front().id, 5);
  EXPECT_EQ(parse_slow_log(reply, 5)->size(), 0u);
}

TEST(SlowLog, OfAProcessThatCountsAnewIsAllNew) {
  const Value reply = list({entry(1, {text("GET")}), entry(0, {text("GET")})});
  const auto all = parse_slow_log(reply, 40);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->size(), 2u);
}

TEST(SlowLog, CountsArgumentsThatTheEngineLeftOut) {
  const Value reply = list({entry(1, {text("MSET"), text("a"), text("... (28 more arguments)")})});
  EXPECT_EQ(parse_slow_log(reply, -1)->front().arguments, 29u);
}

TEST(SlowLog, RefusesWhatItDoesNotKnow) {
  EXPECT_FALSE(parse_slow_log(list({list({number(1), number(2)})}), -1));
  EXPECT_FALSE(parse_slow_log(list({list({number(1), number(2), number(3), list({})})}), -1));
}

}  // namespace
}  // namespace hikae::engine
