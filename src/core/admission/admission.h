#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

#include "base/random.h"
#include "base/time.h"
#include "core/state/state.h"

namespace hikae::core {

// A refusal that the client sees: AWS's own code and message. The HTTP status belongs to the code
// and is found in the service model.
struct Fault {
  std::string code;
  std::string message;
};

template <class T>
using Admitted = tl::expected<T, Fault>;

inline tl::unexpected<Fault> refuse(std::string code, std::string message) {
  return tl::unexpected<Fault>(Fault{std::move(code), std::move(message)});
}

// What a decision may not take for itself.
struct AdmissionContext {
  Instant now;
  Random& random;  // for ids
};

// Every admission function has this shape: it reads the state and a command, and answers the whole
// change or a refusal. It never waits, and the same arguments give the same answer.
//
//   Admitted<Transition> admit(const State&, const SomeCommand&, AdmissionContext);

}  // namespace hikae::core
