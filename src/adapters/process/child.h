#pragma once

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/result.h"

namespace hikae::adapters {

// How a child gets a mount namespace of its own, in which /etc/hosts can be another file.
enum class Namespaces {
  kNone,   // not permitted on this machine
  kMount,  // as root
  kUser,   // as an ordinary user: inside a user namespace
};

struct Account {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
};

struct ChildSpec {
  std::string program;
  std::vector<std::string> arguments;  // without argv[0]
  int directory = -1;                  // becomes the working directory
  int output = -1;                     // becomes stdout and stderr
  Namespaces namespaces = Namespaces::kNone;
  bool private_hosts = false;     // mount the file `hosts` of the working directory on /etc/hosts
  std::optional<Account> run_as;  // nullopt: as we are
  // Becomes descriptor 3 of a keeper, which runs before ordinary work where that is permitted;
  // what it starts does not. Below zero: the program is none.
  int told = -1;
};

// Starts the program as the leader of a session of its own, with an empty environment but PATH, no
// other descriptor of ours, default signals and as many open files as we may give. It outlives us.
// Returns the pid once the program is executed for certain; an error names the step that failed.
Result<pid_t> spawn_child(const ChildSpec& spec);

// The best that this machine permits, tried by a child that exits at once.
Namespaces probe_namespaces();

}  // namespace hikae::adapters
