#include "app/zone_publisher.h"

#include <fmt/format.h>

namespace hikae::app {

Result<std::unique_ptr<ZonePublisher>> ZonePublisher::open(const std::string& domain,
                                                           std::vector<Ipv4> name_servers,
                                                           dns::DnsServer& server,
                                                           control::Log& log) {
  dns::ZoneConfig config;
  config.apex = domain;
  config.name_server_addresses = std::move(name_servers);
  auto zone = dns::Zone::create(config);
  if (!zone) {
    return tl::unexpected(zone.error());
  }
  return std::unique_ptr<ZonePublisher>(new ZonePublisher(std::move(*zone), server, log));
}

ZonePublisher::ZonePublisher(dns::Zone zone, dns::DnsServer& server, control::Log& log)
    : zone_(std::move(zone)), server_(server), log_(log) {
  server_.publish(std::make_shared<const dns::Zone>(zone_));
}

void ZonePublisher::publish(std::vector<core::NameRecord> upserts,
                            std::vector<std::string> removed) {
  zone_ = zone_.with_changes(upserts, removed, zone_.serial() + 1);
  for (const std::string& name : zone_.rejected()) {
    log_.error(fmt::format("the name {} cannot be served by DNS; use the address", name));
  }
  server_.publish(std::make_shared<const dns::Zone>(zone_));
}

}  // namespace hikae::app
