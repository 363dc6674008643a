// parse_config_file() of config.h, apart because toml++ alone takes seconds to compile.
#include "app/config.h"

#define TOML_EXCEPTIONS 0
#include <functional>
#include <map>

#include <fmt/format.h>
#include <toml++/toml.h>

namespace hikae::app {
namespace {

// Reads one value into its setting; false when it is of another type.
using Reader = std::function<bool(const toml::node&)>;

struct Key {
  Reader read;
  const char* type;
};

Key text(std::optional<std::string>& setting) {
  return {[&setting](const toml::node& node) {
            setting = node.value_exact<std::string>();
            return setting.has_value();
          },
          "a string"};
}

Key number(std::optional<std::int64_t>& setting) {
  return {[&setting](const toml::node& node) {
            setting = node.value_exact<std::int64_t>();
            return setting.has_value();
          },
          "a whole number"};
}

Key flag(std::optional<bool>& setting) {
  return {[&setting](const toml::node& node) {
            setting = node.value_exact<bool>();
            return setting.has_value();
          },
          "true or false"};
}

Key texts(std::optional<std::vector<std::string>>& setting) {
  return {[&setting](const toml::node& node) {
            const toml::array* array = node.as_array();
            if (array == nullptr) {
              return false;
            }
            setting.emplace();
            for (const toml::node& element : *array) {
              const auto value = element.value_exact<std::string>();
              if (!value) {
                return false;
              }
              setting->push_back(*value);
            }
            return true;
          },
          "an array of strings"};
}

// The key nearest to a misspelt one is worth more than the whole list, and needs more code; the
// list is short.
std::string known_keys(const std::map<std::string, Key>& keys) {
  std::string out;
  for (const auto& [name, key] : keys) {
    out += (out.empty() ? "" : ", ") + name;
  }
  return out;
}

Status read_table(const toml::table& table, const std::string& prefix,
                  const std::map<std::string, Key>& keys, const std::string& file) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    const auto line = name.source().begin.line;
    const bool is_section =
        prefix.empty() && (key == "dns" || key == "engines" || key == "failover" || key == "etcd");
    if (is_section && node.is_table()) {
      if (Status inner = read_table(*node.as_table(), key + ".", keys, file); !inner) {
        return inner;
      }
      continue;
    }
    const auto known = keys.find(key);
    if (known == keys.end()) {
      return fail(ErrorCode::kInvalid, fmt::format("{}:{}: unknown key {}; known are {}", file,
                                                   line, key, known_keys(keys)));
    }
    if (!known->second.read(node)) {
      return fail(ErrorCode::kInvalid,
                  fmt::format("{}:{}: {} is not {}", file, line, key, known->second.type));
    }
  }
  return {};
}

}  // namespace

Result<ConfigSettings> parse_config_file(std::string_view content, const std::string& file_name) {
  const toml::parse_result parsed = toml::parse(content, file_name);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return fail(ErrorCode::kInvalid, fmt::format("{}:{}: {}", file_name, error.source().begin.line,
                                                 error.description()));
  }
  ConfigSettings settings;
  const std::map<std::string, Key> keys = {
      {"data", text(settings.data_directory)},
      {"listen", text(settings.listen)},
      {"region", text(settings.region)},
      {"zones", texts(settings.zones)},
      {"domain", text(settings.domain)},
      {"allow_test_credentials", flag(settings.allow_test_credentials)},
      {"log_file", text(settings.log_file)},
      {"store", text(settings.store)},
      {"local_agents", text(settings.local_agents)},
      {"dns.listen", texts(settings.dns_listen)},
      {"engines.strict", flag(settings.engines_strict)},
      {"engines.valkey_server", text(settings.valkey_server)},
      {"engines.redis_server", text(settings.redis_server)},
      {"failover.hang_ms", number(settings.hang_ms)},
      {"failover.busy_ms", number(settings.busy_ms)},
      {"failover.test_failovers_per_day", number(settings.test_failovers_per_day)},
      {"etcd.user", text(settings.etcd_user)},
      {"etcd.password_file", text(settings.etcd_password_file)},
      {"etcd.ca_file", text(settings.etcd_ca_file)},
      {"etcd.certificate_file", text(settings.etcd_certificate_file)},
      {"etcd.key_file", text(settings.etcd_key_file)},
  };
  if (Status status = read_table(parsed.table(), "", keys, file_name); !status) {
    return tl::unexpected(status.error());
  }
  return settings;
}

}  // namespace hikae::app
