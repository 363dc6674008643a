#include "adapters/dns_server/dns_server.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>
#include <ldns/ldns.h>

#include "base/random.h"

namespace hikae::dns {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using core::NameRecord;

using Bytes = std::vector<std::uint8_t>;

const std::string kPrimary = "foo.abcdef.ng.0001.apne1.cache.hikae.internal";
const std::string kBig = "big.abcdef.cfg.apne1.cache.hikae.internal";

std::string node(int number) {
  return "foo-00" + std::to_string(number) + ".abcdef.0001.apne1.cache.hikae.internal";
}

NameRecord primary_is(int number) {
  return NameRecord{kPrimary, NameRecord::Kind::kAlias, {}, {node(number)}, 5};
}

std::shared_ptr<const Zone> sample_zone() {
  ZoneConfig config;
  config.apex = "cache.hikae.internal";
  config.name_server_addresses = {Ipv4(0x7F000099)};
  std::vector<NameRecord> records{primary_is(1)};
  for (int i = 1; i <= 2; ++i) {
    records.push_back(NameRecord{
        node(i), NameRecord::Kind::kAddress, {Ipv4(0x7F400000 + std::uint32_t(i))}, {}, 15});
  }
  NameRecord big{kBig, NameRecord::Kind::kAddress, {}, {}, 15};
  for (std::uint32_t i = 0; i < 300; ++i) {
    big.addresses.push_back(Ipv4(0x7F410000 + i));
  }
  records.push_back(big);
  return std::make_shared<const Zone>(Zone::create(config)->with_changes(records, {}, 1));
}

// ldns builds the questions and reads the answers: a codec that is not ours.
struct PacketDeleter {
  void operator()(ldns_pkt* packet) const { ldns_pkt_free(packet); }
};
using Packet = std::unique_ptr<ldns_pkt, PacketDeleter>;

Bytes question(const std::string& name, ldns_rr_type type = LDNS_RR_TYPE_A, int udp_size = 0) {
  ldns_rdf* owner = ldns_dname_new_frm_str(name.c_str());
  const Packet packet(ldns_pkt_query_new(owner, type, LDNS_RR_CLASS_IN, 0));
  ldns_pkt_set_id(packet.get(), 4711);
  if (udp_size > 0) {
    ldns_pkt_set_edns_udp_size(packet.get(), std::uint16_t(udp_size));
  }
  std::uint8_t* wire = nullptr;
  std::size_t size = 0;
  EXPECT_EQ(ldns_pkt2wire(&wire, packet.get(), &size), LDNS_STATUS_OK);
  Bytes bytes(wire, wire + size);
  free(wire);
  return bytes;
}

Packet read_packet(const Bytes& bytes) {
  ldns_pkt* packet = nullptr;
  EXPECT_EQ(ldns_wire2pkt(&packet, bytes.data(), bytes.size()), LDNS_STATUS_OK);
  return Packet(packet);
}

// `owner TTL IN TYPE data` for each record of a section.
std::vector<std::string> lines(const ldns_rr_list* list) {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i) {
    char* text = ldns_rr2str(ldns_rr_list_rr(list, i));
    std::string line(text);
    free(text);
    std::replace(line.begin(), line.end(), '\t', ' ');
    line.erase(line.find_last_not_of(" \n") + 1);
    result.push_back(line);
  }
  return result;
}

std::vector<std::string> answers(const Packet& packet) {
  return lines(ldns_pkt_answer(packet.get()));
}

class DnsServerTest : public testing::Test {
 protected:
  void start(DnsServerOptions options = {}, ListenAddress address = {Ipv4(0x7F4D0401), 0}) {
    server_ = std::make_unique<DnsServer>(options);
    const auto listening = server_->start({address});
    ASSERT_EQ(listening.size(), 1u);
    ASSERT_TRUE(listening[0].status) << listening[0].status.error().message;
    address_ = listening[0].address;
    server_->publish(sample_zone());
  }

  udp::socket udp_client(const std::string& address = "127.77.4.1") {
    udp::socket socket(context_, udp::v4());
    socket.connect(udp::endpoint(asio::ip::make_address_v4(address), address_.port));
    return socket;
  }

  tcp::socket tcp_client() {
    tcp::socket socket(context_);
    socket.connect(tcp::endpoint(asio::ip::make_address_v4("127.77.4.1"), address_.port));
    return socket;
  }

  static Packet ask(udp::socket& socket, const Bytes& query) {
    socket.send(asio::buffer(query));
    Bytes reply(65535);
    reply.resize(socket.receive(asio::buffer(reply)));
    return read_packet(reply);
  }

  static void send_tcp(tcp::socket& socket, const Bytes& query) {
    Bytes framed{std::uint8_t(query.size() >> 8), std::uint8_t(query.size())};
    framed.insert(framed.end(), query.begin(), query.end());
    asio::write(socket, asio::buffer(framed));
  }

  static Packet receive_tcp(tcp::socket& socket) {
    std::uint8_t length[2];
    asio::read(socket, asio::buffer(length));
    Bytes reply(std::size_t{length[0]} << 8 | length[1]);
    asio::read(socket, asio::buffer(reply));
    return read_packet(reply);
  }

  // Waits for the server to close; an answer would be a failure.
  static bool closed_by_server(tcp::socket& socket) {
    std::uint8_t byte;
    boost::system::error_code error;
    return socket.read_some(asio::buffer(&byte, 1), error) == 0 && error;
  }

  asio::io_context context_;
  std::unique_ptr<DnsServer> server_;
  ListenAddress address_;
};

TEST_F(DnsServerTest, AnotherImplementationReadsOurAnswers) {
  start();
  auto socket = udp_client();
  const auto primary = ask(socket, question(kPrimary, LDNS_RR_TYPE_A, 4096));
  EXPECT_EQ(answers(primary), (std::vector<std::string>{kPrimary + ". 5 IN CNAME " + node(1) + ".",
                                                        node(1) + ". 15 IN A 127.64.0.1"}));
  EXPECT_TRUE(ldns_pkt_aa(primary.get()));
  EXPECT_EQ(ldns_pkt_id(primary.get()), 4711);
  EXPECT_EQ(ldns_pkt_edns_udp_size(primary.get()), 1232);

  const auto missing = ask(socket, question("no.cache.hikae.internal"));
  EXPECT_EQ(ldns_pkt_get_rcode(missing.get()), LDNS_RCODE_NXDOMAIN);
  EXPECT_EQ(lines(ldns_pkt_authority(missing.get())),
            (std::vector<std::string>{"cache.hikae.internal. 1 IN SOA ns.cache.hikae.internal. "
                                      "hostmaster.cache.hikae.internal. 1 60 10 600 1"}));

  const auto txt = ask(socket, question("cache.hikae.internal", LDNS_RR_TYPE_TXT));
  EXPECT_EQ(answers(txt),
            (std::vector<std::string>{"cache.hikae.internal. 0 IN TXT \"serial=1 names=5\""}));
  const auto ns = ask(socket, question("cache.hikae.internal", LDNS_RR_TYPE_NS));
  EXPECT_EQ(lines(ldns_pkt_additional(ns.get())),
            (std::vector<std::string>{"ns.cache.hikae.internal. 60 IN A 127.0.0.153"}));
}

TEST_F(DnsServerTest, MixedCaseComesBackAsSent) {
  start();
  auto socket = udp_client();
  const std::string mixed = "fOO.AbCdEf.nG.0001.aPNe1.CaChE.hIkAe.InTeRnAl";
  const auto reply = ask(socket, question(mixed));
  ASSERT_EQ(answers(reply).size(), 2u);
  EXPECT_EQ(lines(ldns_pkt_question(reply.get()))[0], mixed + ". IN A");
  EXPECT_EQ(answers(reply)[0].substr(0, mixed.size()), mixed);
}

TEST_F(DnsServerTest, TruncatedAnswerComesWholeOverTcp) {
  start();
  auto socket = udp_client();
  const auto cut = ask(socket, question(kBig, LDNS_RR_TYPE_A, 4096));
  EXPECT_TRUE(ldns_pkt_tc(cut.get()));
  EXPECT_TRUE(answers(cut).empty());
  auto stream = tcp_client();
  send_tcp(stream, question(kBig));
  const auto whole = receive_tcp(stream);
  EXPECT_FALSE(ldns_pkt_tc(whole.get()));
  EXPECT_EQ(answers(whole).size(), 300u);
  EXPECT_EQ(server_->counters().truncated, 1u);
}

TEST_F(DnsServerTest, QueriesOverTcpMayBePipelinedAndCutAnywhere) {
  start();
  auto stream = tcp_client();
  constexpr int kCount = 100;
  const Bytes query = question(kPrimary);
  Bytes all;
  for (int i = 0; i < kCount; ++i) {
    all.push_back(std::uint8_t(query.size() >> 8));
    all.push_back(std::uint8_t(query.size()));
    all.insert(all.end(), query.begin(), query.end());
    all[all.size() - query.size()] = std::uint8_t(i);  // of the id
  }
  stream.set_option(tcp::no_delay(true));
  for (std::size_t at = 0; at < all.size(); at += 37) {
    asio::write(stream, asio::buffer(all.data() + at, std::min<std::size_t>(37, all.size() - at)));
  }
  for (int i = 0; i < kCount; ++i) {
    const auto reply = receive_tcp(stream);
    EXPECT_EQ(ldns_pkt_id(reply.get()) >> 8, i) << "in order";
    EXPECT_EQ(answers(reply).size(), 2u);
  }
}

// Many large answers asked for before one is read: more than the server holds at once.
TEST_F(DnsServerTest, LargeAnswersArePipelinedToo) {
  start();
  auto stream = tcp_client();
  constexpr int kCount = 60;
  for (int i = 0; i < kCount; ++i) {
    send_tcp(stream, question(kBig));
  }
  for (int i = 0; i < kCount; ++i) {
    EXPECT_EQ(answers(receive_tcp(stream)).size(), 300u);
  }
}

TEST_F(DnsServerTest, IdleAndAbusiveConnectionsAreClosed) {
  start(DnsServerOptions{.tcp_idle_timeout = std::chrono::milliseconds(100),
                         .max_tcp_connections = 2});
  auto silent = tcp_client();
  auto half = tcp_client();
  asio::write(half, asio::buffer("\0\x20half", 6));
  auto third = tcp_client();
  EXPECT_TRUE(closed_by_server(third)) << "over the limit";
  EXPECT_TRUE(closed_by_server(silent));
  EXPECT_TRUE(closed_by_server(half));
  EXPECT_EQ(server_->counters().tcp_refused, 1u);
  // Room again for others.
  auto greedy = tcp_client();
  asio::write(greedy, asio::buffer("\xFF\xFF", 2));
  EXPECT_TRUE(closed_by_server(greedy)) << "announces more than any query takes";
}

TEST_F(DnsServerTest, GarbageStopsNothing) {
  start();
  auto socket = udp_client();
  SeededRandom random(7);
  const Bytes good = question(kPrimary, LDNS_RR_TYPE_A, 1232);
  for (int i = 0; i < 2000; ++i) {
    Bytes bad = good;
    for (int k = 0; k < 4; ++k) {
      bad[random.below(bad.size())] = std::uint8_t(random.next());
    }
    bad.resize(random.below(bad.size() + 1));
    socket.send(asio::buffer(bad));
  }
  socket.send(asio::buffer(Bytes(60000, 0xC0)));
  auto fresh = udp_client();
  EXPECT_EQ(answers(ask(fresh, good)).size(), 2u);
  const DnsCounters counters = server_->counters();
  EXPECT_GT(counters.form_err, 0u);
  EXPECT_GT(counters.dropped, 0u);
  EXPECT_EQ(counters.queries, counters.no_error + counters.form_err + counters.serv_fail +
                                  counters.nx_domain + counters.not_imp + counters.refused +
                                  counters.bad_vers + counters.dropped);
}

// A question sent after publish() returned is never answered from an older zone.
TEST_F(DnsServerTest, PublishedChangesAreSeenByTheNextQuestion) {
  start();
  auto socket = udp_client();
  auto zone = sample_zone();
  for (int i = 0; i < 200; ++i) {
    const int number = 1 + i % 2;
    zone = std::make_shared<const Zone>(
        zone->with_changes({primary_is(number)}, {}, std::uint32_t(i + 2)));
    server_->publish(zone);
    const auto reply = ask(socket, question(kPrimary));
    ASSERT_EQ(answers(reply)[1], node(number) + ". 15 IN A 127.64.0." + std::to_string(number));
  }
}

// Every answer comes from one zone: the alias and its address belong together at any moment.
TEST_F(DnsServerTest, PublishingWhileAnswering) {
  start();
  std::atomic<bool> done{false};
  std::thread publisher([&] {
    auto zone = sample_zone();
    for (std::uint32_t serial = 2; !done; ++serial) {
      const int number = 1 + int(serial % 2);
      zone = std::make_shared<const Zone>(zone->with_changes({primary_is(number)}, {}, serial));
      server_->publish(zone);
    }
  });
  auto socket = udp_client();
  for (int i = 0; i < 2000; ++i) {
    const auto reply = answers(ask(socket, question(kPrimary)));
    ASSERT_EQ(reply.size(), 2u);
    const std::string target = reply[0].substr(reply[0].rfind(' ') + 1);
    ASSERT_EQ(reply[1].substr(0, target.size()), target);
  }
  done = true;
  publisher.join();
}

TEST_F(DnsServerTest, NotReadyBeforeTheFirstZone) {
  server_ = std::make_unique<DnsServer>();
  address_ = server_->start({{Ipv4(0x7F4D0401), 0}})[0].address;
  auto socket = udp_client();
  EXPECT_EQ(ldns_pkt_get_rcode(ask(socket, question(kPrimary)).get()), LDNS_RCODE_SERVFAIL);
}

// Bound to every address, the answer must leave from the one that was asked: a connected socket
// takes no other.
TEST_F(DnsServerTest, AnswersFromTheAddressThatWasAsked) {
  start({}, ListenAddress{Ipv4(), 0});
  for (const char* address : {"127.77.4.1", "127.77.4.2", "127.0.0.153"}) {
    auto socket = udp_client(address);
    EXPECT_EQ(answers(ask(socket, question(kPrimary))).size(), 2u) << address;
  }
}

TEST_F(DnsServerTest, AddressesThatCannotBeServedSayWhatToDo) {
  start();
  DnsServer other;
  const auto listening = other.start(
      {address_, ListenAddress{Ipv4(0xC0000201), 4553}, ListenAddress{Ipv4(0x7F4D0402), 0}});
  ASSERT_EQ(listening.size(), 3u);
  EXPECT_EQ(listening[0].status.error().code, ErrorCode::kConflict);
  EXPECT_NE(listening[0].status.error().message.find(address_.str()), std::string::npos);
  EXPECT_EQ(listening[1].status.error().code, ErrorCode::kInvalid);
  EXPECT_NE(listening[1].status.error().message.find("ip address add 192.0.2.1"),
            std::string::npos);
  EXPECT_TRUE(listening[2].status) << "one that works is served";
  EXPECT_NE(listening[2].address.port, 0);
}

TEST_F(DnsServerTest, StopClosesConnectionsAndMayComeTwice) {
  start();
  auto stream = tcp_client();
  send_tcp(stream, question(kPrimary));
  receive_tcp(stream);
  server_->stop();
  EXPECT_TRUE(closed_by_server(stream));
  server_->stop();
  server_->publish(sample_zone());
  EXPECT_EQ(server_->counters().no_error, 1u);
}

}  // namespace
}  // namespace hikae::dns
