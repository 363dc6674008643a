#pragma once

#include <string>

#include "adapters/http/server.h"
#include "api/credentials.h"
#include "app/config.h"
#include "app/host_messages.h"
#include "app/region_duty.h"
#include "app/status_report.h"
#include "codec/sign/signing_key_cache.h"
#include "control/frontend.h"

namespace hikae::app {

// Answers `hikae host`, `status` and `events`. Lives on the control thread, beside the API.
class HostAdmin {
 public:
  struct Parts {
    control::Frontend& frontend;
    const api::Credentials& credentials;
    const ServeConfig& config;
    control::Clock& clock;
    Random& random;
    control::Log& log;
    const RegionDuty& duty;  // knows which hosts are connected
    const adapters::CertificateAuthority& ca;
    StatusReport& report;
  };

  explicit HostAdmin(Parts parts) : parts_(std::move(parts)) {}

  // Any request to kHostsPath: 200 with an answer, 400, or 403 for one that is not signed.
  control::Awaitable<http::Response> handle(http::Request request);

 private:
  std::string check_signature(const http::Request& request);
  control::Awaitable<HostAnswer> carry_out(HostRequest request);
  control::Awaitable<HostAnswer> make_token(HostRequest request);
  HostAnswer list() const;
  control::Awaitable<HostAnswer> drain(HostRequest request);
  control::Awaitable<HostAnswer> remove(HostRequest request);
  template <class Command>
  control::Awaitable<HostAnswer> submit(Command command);

  Parts parts_;
  codec::SigningKeyCache signing_keys_;
};

}  // namespace hikae::app
