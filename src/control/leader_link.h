#pragma once

#include <utility>

#include "control/ports.h"

namespace hikae::control {

// Lets assignments through only while the term is certain. A leader that wakes up late may hear of
// what its successor did before it knows of the successor, and must not have it done again.
class LeaderLink final : public AgentLink {
 public:
  // Without a leadership this server is the only one.
  LeaderLink(AgentLink& link, const Leadership* leadership)
      : link_(link), leadership_(leadership) {}

  void assign(core::Assignment assignment) override {
    if (leadership_ == nullptr || leadership_->is_certain()) {
      link_.assign(std::move(assignment));
    }
  }

 private:
  AgentLink& link_;
  const Leadership* leadership_;
};

}  // namespace hikae::control
