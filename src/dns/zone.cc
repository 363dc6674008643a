#include "dns/zone.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace hikae::dns {

namespace {

using codec::dns::Name;
using core::NameRecord;

std::optional<Name> lowered_name(std::string_view text) {
  const auto name = Name::parse(text);
  return name ? std::optional(name->lowered()) : std::nullopt;
}

// nullptr when a target is no name, or an alias has none.
std::shared_ptr<const RecordSet> make_record_set(const NameRecord& record) {
  auto set = std::make_shared<RecordSet>();
  set->kind = record.kind;
  set->ttl_seconds = record.ttl_seconds;
  set->addresses = record.addresses;
  for (const std::string& text : record.targets) {
    const auto target = lowered_name(text);
    if (!target) {
      return nullptr;
    }
    set->targets.push_back(*target);
  }
  if (record.kind == NameRecord::Kind::kAlias && set->targets.empty()) {
    return nullptr;
  }
  return set;
}

bool same_targets(const std::vector<Name>& a, const std::vector<Name>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Name& x, const Name& y) { return x.wire() == y.wire(); });
}

bool same_records(const RecordSet& a, const RecordSet& b) {
  return a.kind == b.kind && a.ttl_seconds == b.ttl_seconds && a.addresses == b.addresses &&
         same_targets(a.targets, b.targets);
}

}  // namespace

// Copies a shard when it is first written, and keeps the counts of empty non-terminals right.
class Zone::Editor {
 public:
  explicit Editor(Zone& zone) : zone_(zone) {}

  void set(std::string_view wire, std::shared_ptr<const RecordSet> records) {
    const ZoneNode* node = zone_.find(wire);
    const bool existed = node != nullptr && node->records != nullptr;
    if (existed && same_records(*node->records, *records)) {
      return;
    }
    writable(wire)[std::string(wire)].records = std::move(records);
    if (!existed) {
      ++zone_.name_count_;
      count_in_ancestors(wire, 1);
    }
  }

  void remove(std::string_view wire) {
    const ZoneNode* node = zone_.find(wire);
    if (node == nullptr || node->records == nullptr) {
      return;
    }
    writable(wire).find(wire)->second.records.reset();
    erase_if_unused(wire);
    --zone_.name_count_;
    count_in_ancestors(wire, -1);
  }

 private:
  Shard& writable(std::string_view wire) {
    const std::size_t i = shard_of(wire);
    if (!copies_[i]) {
      copies_[i] = std::make_shared<Shard>(*zone_.shards_[i]);
      zone_.shards_[i] = copies_[i];
    }
    return *copies_[i];
  }

  void count_in_ancestors(std::string_view wire, int change) {
    if (zone_.is_apex(wire)) {
      return;
    }
    for (wire = codec::dns::parent_of(wire); !zone_.is_apex(wire);
         wire = codec::dns::parent_of(wire)) {
      ZoneNode& node = writable(wire)[std::string(wire)];
      node.names_below = static_cast<std::uint32_t>(static_cast<int>(node.names_below) + change);
      erase_if_unused(wire);
    }
  }

  void erase_if_unused(std::string_view wire) {
    Shard& shard = writable(wire);
    const auto it = shard.find(wire);
    const bool used = it->second.records != nullptr || it->second.names_below > 0;
    if (!used && !zone_.is_apex(wire)) {
      shard.erase(it);
    }
  }

  Zone& zone_;
  std::array<std::shared_ptr<Shard>, kShards> copies_;
};

Result<Zone> Zone::create(const ZoneConfig& config) {
  const auto apex = lowered_name(config.apex);
  if (!apex || apex->wire().size() > kMaxApexSize || apex->wire().size() == 1) {
    return fail(ErrorCode::kInvalid,
                fmt::format("'{}' cannot be the suffix of endpoint names: use a domain name of at "
                            "most {} characters, such as cache.hikae.internal",
                            config.apex, kMaxApexSize - 2));
  }
  Zone zone;
  zone.config_ = config;
  zone.apex_ = *apex;
  zone.name_server_ = Name::parse("ns." + apex->str()).value();
  zone.mailbox_ = Name::parse("hostmaster." + apex->str()).value();
  const auto empty = std::make_shared<const Shard>();
  zone.shards_.fill(empty);
  auto apex_shard = std::make_shared<Shard>();
  apex_shard->emplace(apex->wire(), ZoneNode{});
  zone.shards_[shard_of(apex->wire())] = std::move(apex_shard);
  if (!config.name_server_addresses.empty()) {
    Editor(zone).set(
        zone.name_server_.wire(),
        std::make_shared<RecordSet>(RecordSet{
            NameRecord::Kind::kAddress, config.name_server_addresses, {}, config.ttl_seconds}));
  }
  return zone;
}

Zone Zone::with_changes(const std::vector<NameRecord>& upserts,
                        const std::vector<std::string>& removed_names, std::uint32_t serial) const {
  Zone zone = *this;
  zone.config_.serial = serial;
  zone.rejected_.clear();
  Editor editor(zone);
  for (const std::string& text : removed_names) {
    const auto name = lowered_name(text);
    if (name && contains(name->wire())) {
      editor.remove(name->wire());
    }
  }
  for (const NameRecord& record : upserts) {
    const auto name = lowered_name(record.name);
    const bool address = record.kind == NameRecord::Kind::kAddress;
    if (!name || !contains(name->wire()) || (is_apex(name->wire()) && !address)) {
      zone.rejected_.push_back(record.name);
      continue;
    }
    auto records = make_record_set(record);
    if (records == nullptr) {
      zone.rejected_.push_back(record.name);
      continue;
    }
    editor.set(name->wire(), std::move(records));
  }
  return zone;
}

const ZoneNode* Zone::find(std::string_view wire) const {
  const Shard& shard = *shards_[shard_of(wire)];
  const auto it = shard.find(wire);
  return it == shard.end() ? nullptr : &it->second;
}

bool Zone::contains(std::string_view wire) const {
  const std::string_view apex = apex_.wire();
  while (wire.size() > apex.size()) {
    wire = codec::dns::parent_of(wire);
  }
  return wire == apex;
}

}  // namespace hikae::dns
