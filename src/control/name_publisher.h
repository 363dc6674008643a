#pragma once

#include <map>
#include <string>
#include <vector>

#include "control/touched.h"
#include "core/naming/name_record.h"
#include "core/state/state.h"

namespace hikae::control {

// Where names go: the DNS server's zone.
class NameSink {
 public:
  // Never waits. The next answer after the call has the new names.
  virtual void publish(std::vector<core::NameRecord> upserts, std::vector<std::string> removed) = 0;

 protected:
  ~NameSink() = default;
};

// Projects the state onto names after every transition, within the same turn of the loop: a name
// can neither be forgotten nor come late. Only the units that a transition touched are looked at.
class NamePublisher {
 public:
  explicit NamePublisher(NameSink& sink) : sink_(sink) {}

  void publish_all(const core::State& state);
  void on_transition(const core::State& after, const core::Transition& transition);

  // All published names with their addresses, aliases resolved: for people without a resolver.
  std::vector<std::pair<std::string, Ipv4>> resolved() const;

 private:
  void publish(const core::State& state, const std::set<Unit>& units);

  NameSink& sink_;
  std::map<Unit, std::vector<core::NameRecord>> published_;
};

}  // namespace hikae::control
