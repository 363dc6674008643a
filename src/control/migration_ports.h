#pragma once

#include "control/ports.h"

// What migrations need of the world, beside ports.h.

namespace hikae::control {

// Servers outside of the region, as the assignment of a node names one as its source. Every call is
// bounded by some seconds. In an answer `problem` says why the server will not do or that it does
// not answer, without control characters; `deadline` is left alone.
class MigrationSources {
 public:
  // Whether the node can take its data over.
  virtual Awaitable<core::SourceAnswer> check(core::NodeAssignment assignment) = 0;
  // Makes it hold back the writes of its clients for at most `bound`, where it knows how to, and
  // tells the offset at which it stopped.
  virtual Awaitable<core::SourceAnswer> pause_writes(core::NodeAssignment assignment,
                                                     Duration bound) = 0;
  virtual Awaitable<void> resume_writes(core::NodeAssignment assignment) = 0;

 protected:
  ~MigrationSources() = default;
};

}  // namespace hikae::control
