// Serves generated endpoint names until its standard input ends:
//   dns_bench_server <port> <replication groups>
// For group i: the primary endpoint rg<i>.abcdef.ng.0001.apne1.cache.bench, an alias of the node
// rg<i>-001.abcdef.0001.apne1.cache.bench with one address. compare.py writes the same zone for the
// other server.
#include <cstdint>
#include <memory>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "adapters/dns_server/dns_server.h"
#include "base/strings.h"

namespace {

using hikae::Ipv4;
using hikae::core::NameRecord;

constexpr std::uint32_t kFirstAddress = 0x7F400001;  // 127.64.0.1

std::vector<NameRecord> records_of(std::int64_t groups) {
  std::vector<NameRecord> records;
  for (std::int64_t i = 0; i < groups; ++i) {
    const std::string node = fmt::format("rg{}-001.abcdef.0001.apne1.cache.bench", i);
    const Ipv4 address(kFirstAddress + static_cast<std::uint32_t>(i));
    records.push_back(NameRecord{node, NameRecord::Kind::kAddress, {address}, {}, 5});
    records.push_back(NameRecord{fmt::format("rg{}.abcdef.ng.0001.apne1.cache.bench", i),
                                 NameRecord::Kind::kAlias,
                                 {},
                                 {node},
                                 5});
  }
  return records;
}

}  // namespace

int main(int argc, char** argv) {
  const auto port = argc == 3 ? hikae::parse_integer(argv[1]) : std::nullopt;
  const auto groups = argc == 3 ? hikae::parse_integer(argv[2]) : std::nullopt;
  if (!port || *port < 1 || *port > 65535 || !groups || *groups < 1) {
    fmt::print(stderr, "usage: dns_bench_server <port> <replication groups>\n");
    return 2;
  }
  const auto empty = hikae::dns::Zone::create(hikae::dns::ZoneConfig{.apex = "cache.bench"});
  hikae::dns::DnsServer server;
  const auto listening = server.start({{Ipv4(0x7F000001), static_cast<std::uint16_t>(*port)}});
  if (!listening[0].status) {
    fmt::print(stderr, "{}\n", listening[0].status.error().message);
    return 1;
  }
  server.publish(
      std::make_shared<const hikae::dns::Zone>(empty->with_changes(records_of(*groups), {}, 1)));
  char byte;
  while (::read(STDIN_FILENO, &byte, 1) > 0) {
  }
  server.stop();
  const auto counters = server.counters();
  fmt::print("answered {} unsent {}\n", counters.no_error, counters.unsent);
  return 0;
}
