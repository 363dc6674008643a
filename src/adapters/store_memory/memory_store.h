#pragma once

#include "control/ports.h"

namespace hikae::adapters {

// A store that lasts as long as the object: for tests and the simulator.
class MemoryStore final : public control::Store {
 public:
  control::Awaitable<Result<core::State>> load() override;
  control::Awaitable<Status> commit(core::Transition transition, core::Revision expected,
                                    std::optional<control::LeaderTerm> term) override;

 private:
  core::State state_;
};

}  // namespace hikae::adapters
