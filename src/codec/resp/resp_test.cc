#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "codec/resp/command.h"
#include "codec/resp/info.h"
#include "codec/resp/parser.h"

namespace hikae::codec::resp {
namespace {

using Type = Value::Type;

// The one whole reply in `bytes`, which must be used up.
Value parse(std::string_view bytes) {
  Parser parser;
  parser.feed(bytes);
  auto value = parser.next();
  EXPECT_TRUE(value && *value) << bytes;
  EXPECT_EQ(parser.buffered(), 0u) << bytes;
  return value && *value ? std::move(**value) : Value();
}

bool is_refused(std::string_view bytes, Limits limits = {}) {
  Parser parser(limits);
  parser.feed(bytes);
  const bool refused = !parser.next();
  parser.feed("+OK\r\n");
  EXPECT_EQ(!parser.next(), refused) << "an error is final";
  return refused;
}

TEST(Parser, ReadsEveryTypeOfResp2And3) {
  EXPECT_TRUE(parse("+OK\r\n").is_ok());
  EXPECT_EQ(parse("-WRONGPASS no\r\n").error_code(), "WRONGPASS");
  EXPECT_EQ(parse(":-42\r\n").integer, -42);
  EXPECT_EQ(parse("$5\r\na\r\nbc\r\n").as_text(), "a\r\nbc");
  EXPECT_EQ(parse("$0\r\n\r\n").type, Type::kBulk);
  EXPECT_TRUE(parse("$-1\r\n").is_null());
  EXPECT_TRUE(parse("*-1\r\n").is_null());
  EXPECT_TRUE(parse("_\r\n").is_null());
  EXPECT_EQ(parse("#t\r\n").integer, 1);
  EXPECT_DOUBLE_EQ(parse(",1.5\r\n").number, 1.5);
  EXPECT_TRUE(std::isinf(parse(",-inf\r\n").number));
  EXPECT_EQ(parse("(12345678901234567890\r\n").as_text(), "12345678901234567890");
  EXPECT_EQ(parse("=8\r\ntxt:some\r\n").as_text(), "some");
  EXPECT_EQ(parse("!5\r\nERR x\r\n").error_code(), "ERR");
  EXPECT_EQ(parse("~2\r\n:1\r\n:2\r\n").type, Type::kSet);
  EXPECT_EQ(parse(">1\r\n+message\r\n").type, Type::kPush);
  const Value map = parse("%1\r\n+key\r\n*2\r\n:1\r\n*0\r\n");
  EXPECT_EQ(map.type, Type::kMap);
  ASSERT_EQ(map.array().size(), 2u);
  EXPECT_EQ(map.items[1].items[1].type, Type::kArray);
}

TEST(Parser, LeavesAttributesOut) {
  EXPECT_EQ(parse("|1\r\n+ttl\r\n:3600\r\n:7\r\n").integer, 7);
  const Value array = parse("*2\r\n:1\r\n|1\r\n+k\r\n*1\r\n:9\r\n:2\r\n");
  ASSERT_EQ(array.items.size(), 2u);
  EXPECT_EQ(array.items[1].integer, 2);
}

TEST(Parser, TakesRepliesOneByOne) {
  Parser parser;
  parser.feed("+a\r\n:2\r\n$3\r\nab");
  EXPECT_EQ(parser.next().value()->as_text(), "a");
  EXPECT_EQ(parser.next().value()->integer, 2);
  EXPECT_FALSE(parser.next().value());
  parser.feed("c\r");
  EXPECT_FALSE(parser.next().value());
  parser.feed("\n");
  EXPECT_EQ(parser.next().value()->as_text(), "abc");
}

TEST(Parser, RefusesWhatIsNotResp) {
  for (const std::string_view bytes :
       {"HTTP/1.1 400 Bad Request\r\n", "\r\n", ":\r\n", ":1x\r\n", "$x\r\n", "$-2\r\n",
        "$1\r\nab\r\n", "*-2\r\n", "*?\r\n", "#x\r\n", ",one\r\n", "(1a\r\n", "_x\r\n", "!-1\r\n",
        "=2\r\nab\r\n", "%-1\r\n"}) {
    EXPECT_TRUE(is_refused(bytes)) << bytes;
  }
}

TEST(Parser, HoldsItsLimits) {
  Limits limits;
  limits.depth = 3;
  EXPECT_FALSE(is_refused("*1\r\n*1\r\n*1\r\n:1\r\n", limits));
  EXPECT_TRUE(is_refused("*1\r\n*1\r\n*1\r\n*1\r\n", limits));
  limits.bulk_bytes = 10;
  EXPECT_TRUE(is_refused("$11\r\n", limits));
  EXPECT_TRUE(is_refused("$9223372036854775807\r\n", limits));
  limits.elements = 4;
  EXPECT_TRUE(is_refused("*5\r\n", limits));
  EXPECT_TRUE(is_refused("%3\r\n", limits));
  EXPECT_TRUE(is_refused("*9223372036854775807\r\n", limits));
  EXPECT_TRUE(is_refused("*2\r\n*1\r\n:1\r\n*2\r\n:1\r\n:1\r\n", limits));
  limits.line_bytes = 8;
  EXPECT_TRUE(is_refused("+123456789", limits)) << "before the line is whole";
  EXPECT_TRUE(is_refused("+12345678\r\n", limits));
  limits.reply_bytes = 20;
  EXPECT_TRUE(is_refused("*3\r\n$5\r\n12345\r\n$5\r\n12345\r\n", limits));
}

rc::Gen<Value> any_value(int depth) {
  const auto scalar =
      rc::gen::oneOf(rc::gen::map(rc::gen::arbitrary<std::string>(),
                                  [](std::string text) {
                                    Value value;
                                    value.type = Type::kBulk;
                                    value.text = std::move(text);
                                    return value;
                                  }),
                     rc::gen::map(rc::gen::arbitrary<std::int64_t>(), [](std::int64_t number) {
                       Value value;
                       value.type = Type::kInteger;
                       value.integer = number;
                       return value;
                     }));
  if (depth == 0) {
    return scalar;
  }
  const auto array = rc::gen::map(rc::gen::container<std::vector<Value>>(
                                      rc::gen::lazy([depth] { return any_value(depth - 1); })),
                                  [](std::vector<Value> items) {
                                    Value value;
                                    value.type = Type::kArray;
                                    value.items = std::move(items);
                                    return value;
                                  });
  return rc::gen::weightedOneOf<Value>({{3, scalar}, {1, array}});
}

void encode(const Value& value, std::string& out) {
  if (value.type == Type::kInteger) {
    out += ":" + std::to_string(value.integer) + "\r\n";
  } else if (value.type == Type::kBulk) {
    out += "$" + std::to_string(value.text.size()) + "\r\n" + value.text + "\r\n";
  } else {
    out += "*" + std::to_string(value.items.size()) + "\r\n";
    for (const Value& item : value.items) {
      encode(item, out);
    }
  }
}

// However the stream is cut into pieces, the same replies come out.
RC_GTEST_PROP(ParserProperty, PiecesDoNotMatter, ()) {
  const auto values = *rc::gen::resize(
      20, rc::gen::container<std::vector<Value>>(rc::gen::lazy([] { return any_value(2); })));
  const auto pieces =
      *rc::gen::container<std::vector<std::size_t>>(8, rc::gen::inRange<std::size_t>(1, 20));
  std::string bytes;
  for (const Value& value : values) {
    encode(value, bytes);
  }
  Parser parser;
  std::vector<Value> seen;
  std::size_t at = 0;
  for (std::size_t i = 0; at < bytes.size(); ++i) {
    const std::size_t piece = pieces[i % pieces.size()];
    parser.feed(std::string_view(bytes).substr(at, piece));
    at += piece;
    for (auto value = parser.next(); value && *value; value = parser.next()) {
      seen.push_back(std::move(**value));
    }
  }
  RC_ASSERT(seen == values);
}

// A command is an array of bulk strings, so the parser is its reverse.
RC_GTEST_PROP(CommandProperty, IsReadBack, ()) {
  const auto arguments = *rc::gen::nonEmpty<std::vector<std::string>>();
  const Value value = parse(encode_command(arguments));
  RC_ASSERT(value.items.size() == arguments.size());
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    RC_ASSERT(value.items[i].text == arguments[i]);
  }
}

TEST(Info, LooksUpKeys) {
  const Info info = Info::parse(
      "# Replication\r\nrole:master\r\nconnected_slaves:1\r\n"
      "slave0:ip=127.0.0.1,port=6380,state=online,offset=14,lag=0\r\n\r\n"
      "# Server\r\nexecutable:/usr/bin/a:b\r\n");
  EXPECT_EQ(info.text("role"), "master");
  EXPECT_EQ(info.integer("connected_slaves"), 1);
  EXPECT_EQ(info.text("executable"), "/usr/bin/a:b");
  EXPECT_FALSE(info.text("absent"));
  EXPECT_FALSE(info.integer("role"));
  const Info replica = Info::parse_fields(*info.text("slave0"));
  EXPECT_EQ(replica.text("state"), "online");
  EXPECT_EQ(replica.integer("offset"), 14);
}

TEST(Role, ReadsPrimaryAndReplica) {
  const auto primary = parse_role(
      parse("*3\r\n$6\r\nmaster\r\n:3129\r\n*1\r\n*3\r\n$9\r\n127.0.0.1\r\n$4\r\n9001\r\n"
            "$4\r\n3100\r\n"));
  ASSERT_TRUE(primary);
  EXPECT_EQ(primary->kind, Role::Kind::kPrimary);
  EXPECT_EQ(primary->offset, 3129);
  ASSERT_EQ(primary->replicas.size(), 1u);
  EXPECT_EQ(primary->replicas[0].port, 9001);
  EXPECT_EQ(primary->replicas[0].offset, 3100);
  const auto replica = parse_role(
      parse("*5\r\n$5\r\nslave\r\n$9\r\nfoo.local\r\n:6379\r\n$7\r\nconnect\r\n:-1\r\n"));
  ASSERT_TRUE(replica);
  EXPECT_EQ(replica->kind, Role::Kind::kReplica);
  EXPECT_EQ(replica->primary_host, "foo.local");
  EXPECT_EQ(replica->link, "connect");
  EXPECT_EQ(replica->offset, -1);
  EXPECT_FALSE(parse_role(parse("*1\r\n$5\r\nslave\r\n")));
  EXPECT_FALSE(parse_role(parse("-NOAUTH\r\n")));
}

}  // namespace
}  // namespace hikae::codec::resp
