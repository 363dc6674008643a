#pragma once

#include <string>
#include <vector>

#include "core/admission/admission.h"

namespace hikae::core {

// A server of the customer's own, as a request names it.
struct CustomerEndpoint {
  std::string address;
  int port = 0;
};

// StartMigration: the group's primary becomes a replica of the server, which replaces all of the
// group's data, once the server was asked whether that can work. TestMigration: it is only asked.
// Both go on by themselves; events tell what became of them.
struct StartMigration {
  std::string group;
  std::vector<CustomerEndpoint> sources;
  bool test = false;
};
Admitted<Transition> admit(const State& state, const StartMigration& command,
                           AdmissionContext context);

// CompleteMigration: the primary leads again as soon as it has all that the server has, while that
// holds back its writes. It is given up, and the migration goes on, when it does not get there in
// time. With `force` it leads at once, whatever it holds; that is also how a migration is aborted.
struct CompleteMigration {
  std::string group;
  bool force = false;
};
Admitted<Transition> admit(const State& state, const CompleteMigration& command,
                           AdmissionContext context);

// How long the server may take to answer whether it would do.
inline constexpr Duration kSourceCheckBound = std::chrono::seconds(15);
// How long it may be kept from writing until its replica has everything.
inline constexpr Duration kCutOverBound = std::chrono::seconds(8);

}  // namespace hikae::core
