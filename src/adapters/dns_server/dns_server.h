#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/time.h"
#include "dns/zone.h"

namespace hikae::dns {

struct ListenAddress {
  Ipv4 address;
  std::uint16_t port = 0;  // 0: any free one

  std::string str() const;  // `127.0.0.1:4553`
};

struct DnsServerOptions {
  Duration tcp_idle_timeout = std::chrono::seconds(10);  // also for a query that comes in drops
  std::size_t max_tcp_connections = 128;                 // further ones are closed at once
  std::function<void()> on_thread;  // called once in the answering thread, before all else
};

// How many answers went out since the start.
struct DnsCounters {
  std::uint64_t queries = 0;  // everything that arrived, answered or not
  std::uint64_t no_error = 0;
  std::uint64_t form_err = 0;
  std::uint64_t serv_fail = 0;
  std::uint64_t nx_domain = 0;
  std::uint64_t not_imp = 0;
  std::uint64_t refused = 0;
  std::uint64_t bad_vers = 0;
  std::uint64_t dropped = 0;    // not answered at all: a response, or no whole header
  std::uint64_t truncated = 0;  // of no_error and nx_domain: sent with TC
  std::uint64_t unsent = 0;     // the kernel did not take the datagram
  std::uint64_t tcp_connections = 0;
  std::uint64_t tcp_refused = 0;  // over max_tcp_connections
};

// Serves one zone over UDP and TCP from a thread of its own. Lifecycle: start once, publish from
// any thread as often as wanted, stop (or destroy). Until the first publish every question gets
// SERVFAIL. No query, however broken, stops it.
//
// The answering thread takes no lock for a query: it looks at a version number, and only when that
// has changed fetches the new zone under a mutex, which is held for a pointer's exchange.
class DnsServer {
 public:
  struct Listening {
    ListenAddress address;  // as asked, with the real port when it was 0
    Status status;          // an error says what to do about it
  };

  explicit DnsServer(DnsServerOptions options = {});
  ~DnsServer();  // stops
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;

  // Binds UDP and TCP at every address and starts the thread when at least one of them works. One
  // entry per address, in their order. To be called once.
  std::vector<Listening> start(const std::vector<ListenAddress>& addresses);

  // Questions that arrive after the return are answered from `zone`. From any thread, at any time.
  void publish(std::shared_ptr<const Zone> zone);

  // Closes everything and joins the thread. May be called again.
  void stop();

  // From any thread.
  DnsCounters counters() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hikae::dns
