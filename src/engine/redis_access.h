#pragma once

#include <string>

#include "core/reconcile/assignment.h"
#include "engine/admin_connection.h"

namespace hikae::engine {

// Encryption and AUTH tokens, in the language of Redis and Valkey.

// The lines of a configuration file that say where the node listens for clients and members, and
// with what certificate.
std::string listening_lines(const core::NodeAssignment& assignment);

// The tokens as rules of the user `default`, to be put behind its others: ` #<digest> ...`. Empty
// when clients need none.
std::string token_rules(const core::Access& access);

// Makes these tokens count, and no others, on a running engine. Who is connected stays so.
Command set_tokens(const core::Access& access);

// Makes a running engine take what is in the certificate file now.
Command reload_certificate();

}  // namespace hikae::engine
