#include "adapters/store_memory/memory_store.h"

#include <fmt/format.h>

namespace hikae::adapters {

control::Awaitable<Result<core::State>> MemoryStore::load() {
  co_return state_;
}

control::Awaitable<Status> MemoryStore::commit(core::Transition transition, core::Revision expected,
                                               std::optional<control::LeaderTerm>) {
  if (expected != state_.revision()) {
    co_return fail(ErrorCode::kConflict,
                   fmt::format("the stored state is at revision {}, not {}; read it again",
                               state_.revision().value(), expected.value()));
  }
  state_.apply(transition, expected.next());
  co_return Status();
}

}  // namespace hikae::adapters
