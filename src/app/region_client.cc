#include "app/region_client.h"

#include <array>

#include "adapters/system/data_directory.h"
#include "adapters/system/real_clock.h"
#include "app/runtime_facts.h"
#include "codec/sign/sign.h"

namespace hikae::app {
namespace {

constexpr int kTimeoutMs = 10'000;

}  // namespace

Result<HttpReply> post_to_region(const std::string& data_directory, const HostRequest& request) {
  const auto facts = running_serve(data_directory);
  const auto credentials = adapters::read_credentials(data_directory);
  if (!facts || !credentials) {
    return tl::unexpected(facts ? credentials.error() : facts.error());
  }
  HttpCall call;
  call.method = "POST";
  call.path = kHostsPath;
  call.body = codec::to_json(request);
  const std::array<codec::Header, 1> signed_headers = {codec::Header{"Host", facts->api}};
  const codec::SignRequest to_sign{call.method, call.path, "", signed_headers, call.body};
  codec::Credential credential;
  credential.access_key_id = credentials->access_key_id;
  credential.secret = credentials->secret_access_key;
  const adapters::RealClock clock;
  call.headers =
      codec::sign_v4_header(to_sign, credential, facts->region, kHostsService, clock.now());
  return http_call(*SocketAddress::parse(facts->api), call, kTimeoutMs);
}

}  // namespace hikae::app
