#pragma once

#include "core/failover/failover.h"
#include "core/failover/member.h"

namespace hikae::core {

// Which replica leads in place of a primary that is dead or came back empty, and certainly takes no
// more writes.
FailoverDecision choose(const State& state, const Observed& observed, const NodeGroup& node_group,
                        const Member& primary);

// The last lease of a primary whose host cannot be asked is over. It takes writes only if all of
// its replicas promise it not to lead; so one that did not has to be heard, and that one may lead.
FailoverDecision choose_in_silence(const State& state, const Observed& observed,
                                   const NodeGroup& node_group, const Member& primary);

}  // namespace hikae::core
