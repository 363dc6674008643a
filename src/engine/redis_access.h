#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "core/reconcile/assignment.h"
#include "engine/admin_connection.h"

namespace hikae::engine {

// Encryption, AUTH tokens and users, in the language of Redis and Valkey.

// Where the engine itself listens when a front (module/front.c) takes its clients: a place that is
// in nobody's way. That is the node's own address, or, where other nodes have the same address, one
// of the loopback network that nobody else uses.
struct InnerPlace {
  Ipv4 address;
  std::uint16_t plain = 0;
  std::uint16_t tls = 0;
  friend bool operator==(const InnerPlace&, const InnerPlace&) = default;
};
InnerPlace inner_place(const core::NodeAssignment& assignment);

// The lines of a configuration file that say where the node listens for clients and members, and
// with what certificate. `front`: the module that takes clients with and without TLS on one port.
std::string listening_lines(const core::NodeAssignment& assignment, const std::string& front);

// The rules of the user `default` where nobody says otherwise: everything but the commands
// ElastiCache refuses to clients.
std::string_view client_rules();

// `user` lines of a configuration file: the assignment's users, or `default` alone with its AUTH
// tokens. Whatever the rules of a user allow, it gets no command that is refused to clients.
std::string render_users(const core::NodeAssignment& assignment);

// What brings a running engine's users to the assignment's. `present` are the names that it has;
// users of our own are left alone. One command for each user, which the engine carries out whole or
// not at all. Who is connected stays so.
std::vector<Command> commands_for_users(const core::NodeAssignment& assignment,
                                        const std::vector<std::string>& present);

// Makes a running engine take what is in the certificate file now.
Command reload_certificate();

}  // namespace hikae::engine
