#pragma once

#include <memory>
#include <string>
#include <vector>

#include "adapters/dns_server/dns_server.h"
#include "control/name_publisher.h"
#include "control/ports.h"
#include "dns/zone.h"

namespace hikae::app {

// Puts published names into the zone that the DNS server answers from. Called on the control
// thread; when publish() returns, the next question gets the new answer.
class ZonePublisher final : public control::NameSink {
 public:
  // kInvalid when the domain is no DNS name.
  static Result<std::unique_ptr<ZonePublisher>> open(const std::string& domain,
                                                     std::vector<Ipv4> name_servers,
                                                     dns::DnsServer& server, control::Log& log);

  void publish(std::vector<core::NameRecord> upserts, std::vector<std::string> removed) override;

 private:
  ZonePublisher(dns::Zone zone, dns::DnsServer& server, control::Log& log);

  dns::Zone zone_;
  dns::DnsServer& server_;
  control::Log& log_;
};

}  // namespace hikae::app
