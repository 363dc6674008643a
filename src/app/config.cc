#include "app/config.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include <fmt/format.h>

#include "adapters/delivery/webhook.h"
#include "app/settings_file.h"
#include "base/strings.h"
#include "core/failover/lease.h"

namespace hikae::app {
namespace {

constexpr std::int64_t kDefaultLeaseMs = 1000;
constexpr std::size_t kMaxZones = 26;
constexpr std::size_t kMaxDomainLength = 128;  // leaves room for the longest endpoint name
constexpr std::size_t kMaxLabelLength = 63;
// Less than a few looks at a process says nothing about it; a day is as good as never.
constexpr std::int64_t kLeastHangMs = 20;
constexpr std::int64_t kMostHangMs = 60'000;
constexpr std::int64_t kMostBusyMs = 24 * 3'600'000;
constexpr std::int64_t kDefaultHangMs = 100;
constexpr std::int64_t kDefaultBusyMs = 60'000;
// AWS's: "up to 15 node groups in any rolling 24-hour period".
constexpr std::int64_t kTestFailoversOnAws = 15;
constexpr std::int64_t kMostTestFailovers = 10'000;

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// AWS's form, `ap-northeast-1`; also `us-gov-west-1`.
bool is_region(std::string_view name) {
  const auto parts = split(name, '-');
  if (parts.size() < 3 || name.size() > 32 || !parse_integer(parts.back())) {
    return false;
  }
  return std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
    return !part.empty() && std::all_of(part.begin(), part.end(), is_lower_or_digit);
  });
}

bool is_domain(std::string_view name) {
  if (name.empty() || name.size() > kMaxDomainLength) {
    return false;
  }
  for (const std::string& label : split(name, '.')) {
    const bool clean = std::all_of(label.begin(), label.end(),
                                   [](char c) { return is_lower_or_digit(c) || c == '-'; });
    if (label.empty() || label.size() > kMaxLabelLength || !clean || label.front() == '-' ||
        label.back() == '-') {
      return false;
    }
  }
  return true;
}

Result<std::vector<std::string>> resolve_zones(const std::optional<std::vector<std::string>>& given,
                                               const std::string& region) {
  if (!given) {
    return std::vector<std::string>{region + "a", region + "b", region + "c"};
  }
  std::vector<std::string> zones;
  for (const std::string& zone : *given) {
    const std::string full = zone.size() == 1 ? region + zone : zone;
    const bool valid = full.size() == region.size() + 1 &&
                       full.compare(0, region.size(), region) == 0 && full.back() >= 'a' &&
                       full.back() <= 'z';
    if (!valid) {
      return bad_setting("zones", zone,
                         fmt::format("a letter or a zone of {0} such as {0}a", region));
    }
    if (std::find(zones.begin(), zones.end(), full) != zones.end()) {
      return fail(ErrorCode::kInvalid, fmt::format("zones names {} twice", full));
    }
    zones.push_back(full);
  }
  if (zones.empty() || zones.size() > kMaxZones) {
    return fail(ErrorCode::kInvalid, fmt::format("zones needs 1 to {} names", kMaxZones));
  }
  return zones;
}

Status resolve_addresses(const ConfigSettings& settings, ServeConfig& config) {
  constexpr std::string_view kForm = "an IPv4 address and port such as 127.0.0.1:4566";
  const std::string listen = settings.listen.value_or("127.0.0.1:4566");
  const auto api = SocketAddress::parse(listen);
  if (!api) {
    return bad_setting("listen", listen, kForm);
  }
  config.listen = *api;
  if (!settings.dns_listen) {
    config.dns_listen = {*SocketAddress::parse("127.0.0.1:4553")};
    config.dns_listen_if_permitted = {*SocketAddress::parse("127.0.0.153:53")};
    return {};
  }
  for (const std::string& text : *settings.dns_listen) {
    const auto address = SocketAddress::parse(text);
    if (!address) {
      return bad_setting("dns.listen", text, kForm);
    }
    config.dns_listen.push_back(*address);
  }
  return {};
}

// On loopback the region is of whoever owns the machine: there nobody is kept from testing.
Status resolve_failover(const ConfigSettings& settings, bool loopback, ServeConfig& config) {
  const auto limits = resolve_liveness(settings.hang_ms, settings.busy_ms);
  if (!limits) {
    return tl::unexpected(limits.error());
  }
  const std::int64_t tests =
      settings.test_failovers_per_day.value_or(loopback ? 0 : kTestFailoversOnAws);
  if (tests < 0 || tests > kMostTestFailovers) {
    return bad_setting("failover.test_failovers_per_day", std::to_string(tests),
                       fmt::format("0 (any number) or at most {}", kMostTestFailovers));
  }
  config.hang = limits->hang;
  config.busy = limits->busy;
  config.test_failovers_per_day = std::size_t(tests);
  return {};
}

Status resolve_store(const ConfigSettings& settings, ServeConfig& config) {
  const bool details = settings.etcd_user || settings.etcd_password_file || settings.etcd_ca_file ||
                       settings.etcd_certificate_file || settings.etcd_key_file ||
                       settings.local_agents;
  if (!settings.store && details) {
    return fail(ErrorCode::kInvalid,
                "local_agents and the settings of etcd need store = \"etcd://...\"; without it "
                "the state and the agents are in the data directory");
  }
  if (!settings.store) {
    config.local_agents = config.data_directory;
    return {};
  }
  auto etcd = parse_store(*settings.store, config.region);
  if (!etcd) {
    return tl::unexpected(etcd.error());
  }
  etcd->user = settings.etcd_user.value_or("");
  etcd->password_file = settings.etcd_password_file.value_or("");
  etcd->ca_file = settings.etcd_ca_file.value_or("");
  etcd->certificate_file = settings.etcd_certificate_file.value_or("");
  etcd->key_file = settings.etcd_key_file.value_or("");
  const bool files =
      !etcd->ca_file.empty() || !etcd->certificate_file.empty() || !etcd->key_file.empty();
  if (files && !etcd->tls) {
    return fail(ErrorCode::kInvalid,
                "certificates are used with TLS only; write the store as etcds://");
  }
  config.etcd = std::move(*etcd);
  config.local_agents = settings.local_agents.value_or("");
  return {};
}

Status resolve_buckets(const ConfigSettings& settings, ServeConfig& config) {
  config.snapshots = settings.snapshots.value_or("");
  config.buckets = settings.buckets.value_or("");
  const bool details = settings.s3_region || settings.s3_credentials_file || settings.s3_ca_file;
  if (!settings.s3_endpoint) {
    return details ? Status(fail(ErrorCode::kInvalid, "the settings of s3 need s3.endpoint"))
                   : Status();
  }
  if (settings.buckets) {
    return fail(ErrorCode::kInvalid,
                "buckets and s3.endpoint exclude each other: buckets are either directories or "
                "those of that server");
  }
  auto s3 = parse_s3_endpoint(*settings.s3_endpoint);
  if (!s3) {
    return tl::unexpected(s3.error());
  }
  s3->region = settings.s3_region.value_or(config.region);
  s3->credentials_file = settings.s3_credentials_file.value_or("");
  s3->ca_file = settings.s3_ca_file.value_or("");
  if (!s3->ca_file.empty() && !s3->tls) {
    return fail(ErrorCode::kInvalid, "s3.ca_file is used with https:// only");
  }
  config.s3 = std::move(*s3);
  return {};
}

Status resolve_agents(const ConfigSettings& settings, ServeConfig& config) {
  const std::string lifetime = settings.agents_certificate_lifetime.value_or("90d");
  const auto parsed = parse_duration(lifetime);
  if (!parsed) {
    return bad_setting("agents.certificate_lifetime", lifetime, "a time such as 90d or 12h");
  }
  config.agents_certificate_lifetime = *parsed;
  const std::string rebuild = settings.rebuild_after.value_or("5m");
  const auto after = rebuild == "never" ? std::optional(Duration()) : parse_duration(rebuild);
  if (!after) {
    return bad_setting("agents.rebuild_after", rebuild, "a time such as 5m, or never");
  }
  config.rebuild_after = *after;
  const std::int64_t lease = settings.lease_ms.value_or(kDefaultLeaseMs);
  config.lease = std::chrono::milliseconds(lease);
  if (lease != 0 && (config.lease < core::kShortestLease || config.lease > core::kLongestLease)) {
    return bad_setting("agents.lease_ms", std::to_string(lease),
                       "0 (none) or from 200 to 4000 milliseconds");
  }
  if (settings.agents_listen) {
    config.agents_listen = SocketAddress::parse(*settings.agents_listen);
    if (!config.agents_listen || config.agents_listen->port == 0) {
      return bad_setting("agents.listen", *settings.agents_listen,
                         "an IPv4 address and port such as 10.0.0.1:4567");
    }
    if (settings.local_agents) {
      return fail(ErrorCode::kInvalid,
                  "local_agents and agents.listen exclude each other: the nodes run either in a "
                  "directory of the servers' machine or on hosts that join");
    }
  }
  return {};
}

// What leaves the region: events of caches, and their logs.
Status resolve_deliveries(const ConfigSettings& settings, ServeConfig& config) {
  config.notifications_file = settings.notifications_file.value_or("");
  config.notifications_webhook = settings.notifications_webhook.value_or("");
  config.logs_directory = settings.logs_directory.value_or("");
  config.logs_webhook = settings.logs_webhook.value_or("");
  const Status good = check_webhook("notifications.webhook", config.notifications_webhook);
  return good ? check_webhook("logs.webhook", config.logs_webhook) : good;
}

}  // namespace

Status check_webhook(std::string_view key, const std::string& text) {
  const auto url =
      text.empty() ? Result<adapters::WebhookUrl>() : adapters::WebhookUrl::parse(text);
  return url ? Status()
             : fail(ErrorCode::kInvalid, fmt::format("{}: {}", key, url.error().message));
}

std::optional<SocketAddress> SocketAddress::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  const auto address = Ipv4::parse(text.substr(0, colon));
  const auto port = parse_integer(text.substr(colon + 1));
  if (!address || !port || *port < 0 || *port > 65535) {
    return std::nullopt;
  }
  return SocketAddress{*address, std::uint16_t(*port)};
}

std::string SocketAddress::str() const {
  return fmt::format("{}:{}", address.str(), port);
}

ConfigSettings merge(ConfigSettings base, const ConfigSettings& over) {
  take_over(base.data_directory, over.data_directory);
  take_over(base.listen, over.listen);
  take_over(base.dns_listen, over.dns_listen);
  take_over(base.region, over.region);
  take_over(base.zones, over.zones);
  take_over(base.domain, over.domain);
  take_over(base.allow_test_credentials, over.allow_test_credentials);
  take_over(base.engines_strict, over.engines_strict);
  take_over(base.valkey_server, over.valkey_server);
  take_over(base.redis_server, over.redis_server);
  take_over(base.log_file, over.log_file);
  take_over(base.notifications_webhook, over.notifications_webhook);
  take_over(base.notifications_file, over.notifications_file);
  take_over(base.logs_directory, over.logs_directory);
  take_over(base.logs_webhook, over.logs_webhook);
  take_over(base.snapshots, over.snapshots);
  take_over(base.buckets, over.buckets);
  take_over(base.s3_endpoint, over.s3_endpoint);
  take_over(base.s3_region, over.s3_region);
  take_over(base.s3_credentials_file, over.s3_credentials_file);
  take_over(base.s3_ca_file, over.s3_ca_file);
  take_over(base.hang_ms, over.hang_ms);
  take_over(base.busy_ms, over.busy_ms);
  take_over(base.test_failovers_per_day, over.test_failovers_per_day);
  take_over(base.store, over.store);
  take_over(base.local_agents, over.local_agents);
  take_over(base.etcd_user, over.etcd_user);
  take_over(base.etcd_password_file, over.etcd_password_file);
  take_over(base.etcd_ca_file, over.etcd_ca_file);
  take_over(base.etcd_certificate_file, over.etcd_certificate_file);
  take_over(base.etcd_key_file, over.etcd_key_file);
  take_over(base.agents_listen, over.agents_listen);
  take_over(base.agents_certificate_lifetime, over.agents_certificate_lifetime);
  take_over(base.rebuild_after, over.rebuild_after);
  take_over(base.lease_ms, over.lease_ms);
  return base;
}

Result<ServeConfig> resolve(const ConfigSettings& settings) {
  ServeConfig config;
  config.data_directory = data_directory_or_default(settings.data_directory.value_or(""));
  config.region = settings.region.value_or("ap-northeast-1");
  if (!is_region(config.region)) {
    return bad_setting("region", config.region, "a region name such as ap-northeast-1");
  }
  auto zones = resolve_zones(settings.zones, config.region);
  if (!zones) {
    return tl::unexpected(zones.error());
  }
  config.zones = std::move(*zones);
  config.domain = to_lower(settings.domain.value_or("cache.hikae.internal"));
  if (!is_domain(config.domain)) {
    return bad_setting("domain", config.domain, "a domain name such as cache.hikae.internal");
  }
  if (Status addresses = resolve_addresses(settings, config); !addresses) {
    return tl::unexpected(addresses.error());
  }
  config.allow_test_credentials = settings.allow_test_credentials.value_or(false);
  const bool loopback = config.listen.address.bits() >> 24 == 127;
  if (config.allow_test_credentials && !loopback) {
    return fail(ErrorCode::kInvalid,
                fmt::format("allow_test_credentials works on loopback only, and listen is {}",
                            config.listen.str()));
  }
  if (Status failover = resolve_failover(settings, loopback, config); !failover) {
    return tl::unexpected(failover.error());
  }
  config.engines_strict = settings.engines_strict.value_or(false);
  config.valkey_server = settings.valkey_server.value_or("");
  config.redis_server = settings.redis_server.value_or("");
  config.log_file = settings.log_file.value_or("");
  if (Status buckets = resolve_buckets(settings, config); !buckets) {
    return tl::unexpected(buckets.error());
  }
  if (Status store = resolve_store(settings, config); !store) {
    return tl::unexpected(store.error());
  }
  if (Status agents = resolve_agents(settings, config); !agents) {
    return tl::unexpected(agents.error());
  }
  if (Status deliveries = resolve_deliveries(settings, config); !deliveries) {
    return tl::unexpected(deliveries.error());
  }
  return config;
}

Result<core::LivenessLimits> resolve_liveness(std::optional<std::int64_t> hang_ms,
                                              std::optional<std::int64_t> busy_ms) {
  const std::int64_t hang = hang_ms.value_or(kDefaultHangMs);
  const std::int64_t busy = busy_ms.value_or(std::max(kDefaultBusyMs, hang));
  if (hang < kLeastHangMs || hang > kMostHangMs) {
    return bad_setting("failover.hang_ms", std::to_string(hang),
                       fmt::format("from {} to {} milliseconds", kLeastHangMs, kMostHangMs));
  }
  if (busy != 0 && (busy < hang || busy > kMostBusyMs)) {
    return bad_setting(
        "failover.busy_ms", std::to_string(busy),
        fmt::format("0 (never) or from {} (hang_ms) to {} milliseconds", hang, kMostBusyMs));
  }
  return core::LivenessLimits{std::chrono::milliseconds(hang), std::chrono::milliseconds(busy)};
}

std::optional<Duration> parse_duration(std::string_view text) {
  constexpr std::int64_t kMostSeconds = std::int64_t(10) * 365 * 24 * 3600;
  constexpr std::string_view kUnits = "smhd";
  constexpr std::int64_t kSeconds[] = {1, 60, 3600, 24 * 3600};
  const auto unit = text.empty() ? std::string_view::npos : kUnits.find(text.back());
  const auto count = unit == std::string_view::npos
                         ? std::nullopt
                         : parse_integer(text.substr(0, text.size() - 1));
  if (!count || *count <= 0 || *count > kMostSeconds / kSeconds[unit]) {
    return std::nullopt;
  }
  return std::chrono::seconds(*count * kSeconds[unit]);
}

std::string data_directory_or_default(const std::string& given) {
  if (!given.empty()) {
    return given;
  }
  const char* from_environment = std::getenv("HIKAE_DATA");
  const bool set = from_environment != nullptr && *from_environment != '\0';
  return set ? from_environment : kDefaultDataDirectory;
}

}  // namespace hikae::app
