#include "app/agent_joining.h"

#include <map>

#include <fmt/format.h>

#include "adapters/certificates/certificates.h"
#include "adapters/system/files.h"
#include "app/version.h"

namespace hikae::app {
namespace {

using codec::agent::Join;
using codec::agent::Joined;
using codec::agent::JoinTokenText;
using control::Awaitable;

constexpr Duration kPatience = std::chrono::seconds(5);
constexpr Duration kPause = std::chrono::seconds(1);

// The certificate that a server gave must be one for our key.
Status keep(const AgentIdentityFiles& files, const Joined& joined) {
  const auto key = files.key();
  const auto ours = key ? adapters::identity_of_key(*key) : key;
  const auto facts = adapters::read_certificate(joined.certificate);
  if (!ours || !facts || facts->identity != *ours) {
    return fail(ErrorCode::kInternal, "the server gave a certificate that is not for this host");
  }
  return files.save(joined.certificate, joined.ca_certificate);
}

Result<Join> make_request(const AgentConfig& config, const AgentIdentityFiles& files,
                          const JoinTokenText& token, codec::agent::HostFacts facts) {
  auto key = files.key();
  if (!key) {
    return tl::unexpected(key.error());
  }
  auto request = adapters::make_certificate_request(*key);
  if (!request) {
    return tl::unexpected(request.error());
  }
  Join join;
  join.protocol = codec::agent::kProtocol;
  join.software = version();
  join.token_id = token.id;
  join.token_secret = token.secret;
  join.name = config.name;
  join.certificate_request = std::move(*request);
  join.facts = std::move(facts);
  return join;
}

}  // namespace

codec::agent::HostFacts facts_of(const AgentConfig& config, std::vector<std::string> engines) {
  codec::agent::HostFacts facts;
  facts.zone = config.zone;
  facts.max_nodes = config.max_nodes;
  facts.memory_bytes = config.memory_bytes;
  facts.addresses = config.addresses;
  facts.shared_addresses = config.shared_addresses;
  facts.engines = std::move(engines);
  return facts;
}

Result<JoinTokenText> read_token(const std::string& file) {
  const auto text = adapters::read_file(file);
  if (!text) {
    return tl::unexpected(text.error());
  }
  auto token = JoinTokenText::parse(*text);
  if (!token) {
    return fail(
        ErrorCode::kInvalid,
        fmt::format("{} holds no join token; make one with `hikae host token` on a server", file));
  }
  return std::move(*token);
}

Awaitable<Status> join_region(const AgentConfig& config, AgentIdentityFiles files,
                              codec::agent::HostFacts facts, control::Clock& clock,
                              control::Log& log) {
  if (config.token_file.empty()) {
    co_return fail(ErrorCode::kInvalid,
                   "this host has not joined a region yet: make a token with `hikae host token` on "
                   "a server, and give it with --token-file");
  }
  const auto token = read_token(config.token_file);
  if (!token) {
    co_return tl::unexpected(token.error());
  }
  const auto request = make_request(config, files, *token, std::move(facts));
  const auto tls = agent_rpc::joining_tls(token->ca_fingerprint);
  if (!request || !tls) {
    co_return tl::unexpected(request ? tls.error() : request.error());
  }
  std::map<std::string, std::string> told;  // the newest failure of every server
  for (std::size_t turn = 0;; ++turn) {
    const net::Peer server = config.servers[turn % config.servers.size()];
    Join copy = *request;
    const auto joined = co_await agent_rpc::ask_to_join(server, *tls, std::move(copy), kPatience);
    if (joined) {
      const Status kept = keep(files, *joined);
      if (kept) {
        log.info(fmt::format("joined the region by {} as host {}", server.str(), config.name));
      }
      co_return kept;
    }
    if (joined.error().code == ErrorCode::kDenied) {
      co_return fail(ErrorCode::kDenied,
                     fmt::format("{} refused this host: {}", server.str(), joined.error().message));
    }
    if (told[server.str()] != joined.error().message) {
      log.warn(fmt::format("cannot join by {} yet: {}", server.str(), joined.error().message));
      told[server.str()] = joined.error().message;
    }
    co_await clock.sleep_for(kPause);
  }
}

}  // namespace hikae::app
