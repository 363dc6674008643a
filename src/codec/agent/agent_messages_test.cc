#include <gtest/gtest.h>

#include "codec/agent/join_token.h"
#include "codec/agent/messages.h"

namespace hikae::codec::agent {
namespace {

Hello hello() {
  Hello out;
  out.protocol = kProtocol;
  out.software = "0.1.0";
  out.instance = "aa";
  out.facts.zone = "b";
  out.facts.max_nodes = 5;
  out.facts.memory_bytes = std::uint64_t(1) << 40;
  out.facts.addresses = {*AddressRange::parse("10.0.0.1-10.0.0.9")};
  out.facts.engines = {"valkey 8.0.1"};
  out.facts.fences = out.facts.keeps = true;
  return out;
}

template <class T>
Result<T> read(std::string_view text) {
  const auto frame = Frame::parse(text);
  return frame ? frame->body<T>() : Result<T>(tl::unexpected(frame.error()));
}

TEST(AgentMessages, TravelWhole) {
  const auto again = read<Hello>(encode(hello()));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->protocol, kProtocol);
  EXPECT_EQ(again->instance, "aa");
  EXPECT_EQ(again->facts, hello().facts);
  Pong pong;
  pong.number = 7;
  pong.sent = Monotonic(-5);
  pong.answered = Instant(9);
  const auto same = read<Pong>(encode(pong));
  ASSERT_TRUE(same);
  EXPECT_EQ(same->sent, Monotonic(-5));
  EXPECT_EQ(same->answered, Instant(9));
}

TEST(AgentMessages, WhatALaterVersionAddsIsIgnored) {
  const auto ping = read<Ping>(R"({"body":{"number":3,"lease":[1]},"later":0,"type":"ping"})");
  ASSERT_TRUE(ping);
  EXPECT_EQ(ping->number, 3u);
  const auto unknown = Frame::parse(R"({"type":"fence","body":{}})");
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->type(), MessageType::kUnknown);
}

TEST(AgentMessages, RefuseWhatIsWrongAndNameIt) {
  for (const char* text : {"", "[]", "{}", R"({"type":"ping"})", R"({"body":{}})",
                           R"({"type":1,"body":{}})", R"({"type":"ping","body":{})"}) {
    EXPECT_FALSE(Frame::parse(text)) << text;
  }
  EXPECT_NE(read<Ping>(R"({"type":"ping","body":{"number":-1}})").error().message.find("number"),
            std::string::npos);
  EXPECT_FALSE(read<Ping>(R"({"type":"ping","body":[]})"));
  EXPECT_FALSE(read<Ping>(encode(hello())));
}

TEST(AgentMessages, KeepTheirLimits) {
  Hello many = hello();
  many.facts.engines.assign(kMaxListLength + 1, "valkey");
  EXPECT_FALSE(read<Hello>(encode(many)));
  Hello line = hello();
  line.software = "0.1\n0";
  EXPECT_FALSE(read<Hello>(encode(line)));
  Hello backwards = hello();
  backwards.facts.addresses = {AddressRange{Ipv4(9), Ipv4(3)}};
  EXPECT_FALSE(read<Hello>(encode(backwards)));
  Refusal wordy;
  wordy.message = std::string(kMaxLineBytes + 1, 'x');
  EXPECT_FALSE(read<Refusal>(encode(wordy)));
  Renew large;
  large.certificate_request = std::string(kMaxPemBytes + 1, 'x');
  EXPECT_FALSE(read<Renew>(encode(large)));
  const std::string padded = encode(Ping()) + std::string(2000, ' ');
  EXPECT_FALSE(Frame::parse(padded));
}

TEST(AgentMessages, AVersionConflictSaysWhomToUpgrade) {
  EXPECT_EQ(version_conflict({1, 0}, {1, 9}, "the agent", "0.2"), "");
  const auto newer = version_conflict({1, 0}, {2, 0}, "the agent of host h1", "9.9");
  EXPECT_NE(newer.find("the agent of host h1 (hikae 9.9)"), std::string::npos) << newer;
  EXPECT_NE(newer.find("upgrade this one"), std::string::npos) << newer;
  EXPECT_NE(version_conflict({2, 0}, {1, 0}, "x", "").find("upgrade that one"), std::string::npos);
}

TEST(JoinToken, IsReadStrictly) {
  const JoinTokenText token{std::string(8, 'a'), std::string(64, 'b'), std::string(64, 'c')};
  EXPECT_EQ(JoinTokenText::parse(" " + token.str() + "\n"), token);
  for (std::string bad : {token.str() + "d", token.str().substr(1), std::string(),
                          std::string("hikae-join..."), token.str() + ".x"}) {
    EXPECT_FALSE(JoinTokenText::parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace hikae::codec::agent
