#include "codec/resp/info.h"

#include "base/strings.h"

namespace hikae::codec::resp {

namespace {

std::optional<std::int64_t> integer_of(const Value& value) {
  return value.type == Value::Type::kInteger ? std::optional(value.integer)
                                             : parse_integer(value.as_text());
}

std::optional<std::uint16_t> port_of(const Value& value) {
  const auto number = integer_of(value);
  if (!number || *number < 0 || *number > 65535) {
    return std::nullopt;
  }
  return static_cast<std::uint16_t>(*number);
}

// [master, offset, [[host, port, offset]...]]; the numbers of replicas come as text.
std::optional<Role> parse_primary(const std::vector<Value>& items) {
  const auto offset = items.size() >= 3 ? integer_of(items[1]) : std::nullopt;
  if (!offset) {
    return std::nullopt;
  }
  Role role;
  role.kind = Role::Kind::kPrimary;
  role.offset = *offset;
  for (const Value& entry : items[2].array()) {
    const auto& fields = entry.array();
    if (fields.size() < 3) {
      return std::nullopt;
    }
    const auto port = port_of(fields[1]);
    const auto acknowledged = integer_of(fields[2]);
    if (!port || !acknowledged) {
      return std::nullopt;
    }
    role.replicas.push_back(Role::Replica{std::string(fields[0].as_text()), *port, *acknowledged});
  }
  return role;
}

// [slave, host, port, state of the link, offset]
std::optional<Role> parse_replica(const std::vector<Value>& items) {
  if (items.size() < 5) {
    return std::nullopt;
  }
  const auto port = port_of(items[2]);
  const auto offset = integer_of(items[4]);
  if (!port || !offset) {
    return std::nullopt;
  }
  Role role;
  role.kind = Role::Kind::kReplica;
  role.offset = *offset;
  role.primary_host = items[1].as_text();
  role.primary_port = *port;
  role.link = items[3].as_text();
  return role;
}

}  // namespace

Info Info::parse(std::string_view text) {
  Info info;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::size_t colon = line.find(':');
    if (line.empty() || line.front() == '#' || colon == std::string_view::npos) {
      continue;
    }
    info.values_.insert_or_assign(std::string(line.substr(0, colon)),
                                  std::string(line.substr(colon + 1)));
  }
  return info;
}

Info Info::parse_fields(std::string_view text) {
  Info info;
  for (const std::string& field : split(text, ',')) {
    const std::size_t equals = field.find('=');
    if (equals != std::string::npos) {
      info.values_.insert_or_assign(field.substr(0, equals), field.substr(equals + 1));
    }
  }
  return info;
}

std::optional<std::string_view> Info::text(std::string_view key) const {
  const auto it = values_.find(key);
  return it == values_.end() ? std::nullopt : std::optional<std::string_view>(it->second);
}

std::optional<std::int64_t> Info::integer(std::string_view key) const {
  const auto value = text(key);
  return value ? parse_integer(*value) : std::nullopt;
}

std::optional<Role> parse_role(const Value& value) {
  const auto& items = value.array();
  if (items.empty()) {
    return std::nullopt;
  }
  const std::string_view kind = items[0].as_text();
  if (kind == "master") {
    return parse_primary(items);
  }
  if (kind == "slave") {
    return parse_replica(items);
  }
  if (kind == "sentinel") {
    Role role;
    role.kind = Role::Kind::kSentinel;
    return role;
  }
  return std::nullopt;
}

}  // namespace hikae::codec::resp
