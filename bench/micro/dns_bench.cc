// One DNS answer, without a socket: the primary endpoint's CNAME with the node's A record.
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "base/check.h"
#include "codec/dns/message.h"
#include "dns/answer.h"

namespace {

using hikae::Ipv4;
using hikae::core::NameRecord;
using hikae::dns::Zone;

constexpr std::uint32_t kFirstAddress = 0x7F400001;  // 127.64.0.1

Zone zone_of(int groups) {
  std::vector<NameRecord> records;
  for (int i = 0; i < groups; ++i) {
    const std::string node = fmt::format("rg{}-001.abcdef.0001.apne1.cache.bench", i);
    const Ipv4 address(kFirstAddress + std::uint32_t(i));
    records.push_back(NameRecord{node, NameRecord::Kind::kAddress, {address}, {}, 5});
    records.push_back(NameRecord{fmt::format("rg{}.abcdef.ng.0001.apne1.cache.bench", i),
                                 NameRecord::Kind::kAlias,
                                 {},
                                 {node},
                                 5});
  }
  auto empty = Zone::create(hikae::dns::ZoneConfig{.apex = "cache.bench"});
  HIKAE_CHECK(empty.has_value());
  return empty->with_changes(records, {}, 1);
}

std::vector<std::uint8_t> query_for(std::string_view name) {
  std::vector<std::uint8_t> out = {0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    out.push_back(std::uint8_t(label.size()));
    out.insert(out.end(), label.begin(), label.end());
    name.remove_prefix(std::min(label.size() + 1, name.size()));
  }
  out.insert(out.end(), {0, 0, 1, 0, 1});
  return out;
}

// The argument is the number of groups in the zone.
void BM_DnsAnswer(benchmark::State& state) {
  const Zone zone = zone_of(int(state.range(0)));
  std::vector<std::vector<std::uint8_t>> queries;
  for (int i = 0; i < state.range(0); ++i) {
    queries.push_back(query_for(fmt::format("rg{}.abcdef.ng.0001.apne1.cache.bench", i)));
  }
  std::array<std::uint8_t, hikae::codec::dns::kEdnsUdpLimit> out;
  std::uint64_t rotation = 0;
  for (auto _ : state) {
    const auto& query = queries[rotation % queries.size()];
    const auto sent =
        hikae::dns::answer(query, &zone, rotation++, hikae::dns::Transport::kUdp, out);
    HIKAE_CHECK(sent.rcode == hikae::codec::dns::Rcode::kNoError && sent.size > query.size());
    benchmark::DoNotOptimize(out);
  }
  state.SetItemsProcessed(std::int64_t(state.iterations()));
}
BENCHMARK(BM_DnsAnswer)->Arg(1)->Arg(1000);

// What a commit costs the control thread: one endpoint moves to another node.
void BM_ZoneChange(benchmark::State& state) {
  Zone zone = zone_of(int(state.range(0)));
  const std::string nodes[] = {"rg0-001.abcdef.0001.apne1.cache.bench",
                               "rg0-002.abcdef.0001.apne1.cache.bench"};
  std::uint32_t serial = 1;
  for (auto _ : state) {
    NameRecord moved{"rg0.abcdef.ng.0001.apne1.cache.bench",
                     NameRecord::Kind::kAlias,
                     {},
                     {nodes[serial % 2]},
                     5};
    zone = zone.with_changes({moved}, {}, ++serial);
  }
}
BENCHMARK(BM_ZoneChange)->Arg(1)->Arg(1000);

}  // namespace
