#pragma once

#include <string>

#include "base/result.h"
#include "codec/resp/value.h"
#include "core/resource/ids.h"

namespace hikae::engine {

// An error that an engine answered to a command, in its own words, which name no argument of ours
// that is secret. kTimeout: it runs a script and answers nobody else. kDenied: it is loading.
// kConflict: it has promised not to lead.
Error engine_refusal(const core::NodeKey& node, const std::string& command,
                     const codec::resp::Value& reply);

}  // namespace hikae::engine
