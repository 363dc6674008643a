#pragma once

#include "adapters/agent_rpc/agent_client.h"
#include "app/agent_config.h"
#include "app/agent_identity.h"
#include "codec/agent/join_token.h"
#include "control/ports.h"

namespace hikae::app {

// What the agent says of its host.
codec::agent::HostFacts facts_of(const AgentConfig& config, std::vector<std::string> engines);

// Reads a join token from a file. kInvalid: there is none in it.
Result<codec::agent::JoinTokenText> read_token(const std::string& file);

// Asks the servers in turn, again and again, until one gives this host a certificate, which is kept
// then. kDenied: the region refuses the host; the message says why and what to do.
control::Awaitable<Status> join_region(const AgentConfig& config, AgentIdentityFiles files,
                                       codec::agent::HostFacts facts, control::Clock& clock,
                                       control::Log& log);

}  // namespace hikae::app
