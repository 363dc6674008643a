#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/reconcile/assignment.h"
#include "engine/admin_connection.h"

namespace hikae::engine {

// The rules of the user `default` where nobody says otherwise: everything but the commands
// ElastiCache refuses to clients.
std::string_view client_rules();

// `user` lines of a configuration file: the assignment's users, or `default` alone. Whatever the
// rules of a user allow, it gets no command that is refused to clients.
std::string render_users(const core::NodeAssignment& assignment);

// What brings a running engine's users to the assignment's. `present` are the names that it has;
// users of our own are left alone. One command for each user, which the engine carries out whole or
// not at all.
std::vector<Command> commands_for_users(const core::NodeAssignment& assignment,
                                        const std::vector<std::string>& present);

}  // namespace hikae::engine
