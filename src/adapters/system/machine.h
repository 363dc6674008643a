#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/address.h"

namespace hikae::adapters {

// This machine's name, and its memory in bytes; empty and 0 when they cannot be read.
std::string machine_name();
std::uint64_t machine_memory();

// The address that this machine would use to talk to that one; nothing is sent. nullopt: there is
// no route, or nobody knows the name.
std::optional<Ipv4> address_towards(const std::string& host, std::uint16_t port);

}  // namespace hikae::adapters
