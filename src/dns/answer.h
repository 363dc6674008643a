#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "codec/dns/message.h"
#include "dns/zone.h"

namespace hikae::dns {

enum class Transport { kUdp, kTcp };

struct Answer {
  std::size_t size = 0;  // bytes of `out` to send; 0: send nothing
  codec::dns::Rcode rcode = codec::dns::Rcode::kNoError;
  bool truncated = false;
};

// Answers one message authoritatively from `zone`; nullptr means that there is none yet (SERVFAIL,
// so that the client asks again). `rotation` should differ from call to call: it picks the
// target of a rotating name and the order of addresses. Pure; any bytes are safe; no allocation.
// `out` must hold codec::dns::kEdnsUdpLimit bytes for UDP, and kTcpLimit for TCP to be complete.
Answer answer(std::span<const std::uint8_t> message, const Zone* zone, std::uint64_t rotation,
              Transport transport, std::span<std::uint8_t> out);

}  // namespace hikae::dns
