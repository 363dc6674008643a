#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/config.h"
#include "base/result.h"

namespace hikae::app {

// Where a running serve listens, left in `<data>/serve.json` for the other commands. The file stays
// after the end of serve; whether one runs is told by the lock (adapters/system/data_directory.h).
struct RuntimeFacts {
  std::int64_t pid = 0;
  std::string api;               // `127.0.0.1:4566`
  std::vector<std::string> dns;  // as bound
  std::string region;
  std::string domain;
  std::string agents;  // where agents connect; empty: nowhere
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("pid", s.pid);
    v("api", s.api);
    v("dns", s.dns);
    v("region", s.region);
    v("domain", s.domain);
    v("agents", s.agents);
  }
  // The DNS address that resolv.conf can name, which has no place for a port.
  std::optional<Ipv4> dns_on_port_53() const;
};

Status write_runtime_facts(const std::string& data_directory, const RuntimeFacts& facts);

// kNotFound: no serve ever ran there; the message says how to start one.
Result<RuntimeFacts> read_runtime_facts(const std::string& data_directory);

// The facts of a serve that runs now, or kUnavailable with the command that starts it.
Result<RuntimeFacts> running_serve(const std::string& data_directory);

}  // namespace hikae::app
