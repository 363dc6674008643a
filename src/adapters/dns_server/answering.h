#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>

#include "adapters/dns_server/dns_server.h"
#include "dns/answer.h"

namespace hikae::dns {

// What the UDP and the TCP side share: the current zone, the rotation, the counters. publish and
// counters may be called from any thread, everything else only from the answering one.
class Answering {
 public:
  void publish(std::shared_ptr<const Zone> zone);

  // Takes over a newly published zone. Once per batch of queries.
  void refresh();

  // Answers from the zone of the last refresh; 0: send nothing.
  std::size_t answer(std::span<const std::uint8_t> message, Transport transport,
                     std::span<std::uint8_t> out);

  void count_unsent(std::size_t datagrams) { add(unsent_, datagrams); }
  void count_connection(bool accepted) { add(accepted ? connections_ : refused_connections_, 1); }

  DnsCounters counters() const;

 private:
  using Counter = std::atomic<std::uint64_t>;

  // Only one thread writes, so a plain load and store is enough and cheaper than a locked add.
  static void add(Counter& counter, std::uint64_t amount) {
    counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  Counter& counter_of(codec::dns::Rcode rcode);

  std::mutex mutex_;
  std::shared_ptr<const Zone> published_;  // guarded by mutex_
  std::atomic<std::uint64_t> version_{0};  // of published_

  std::shared_ptr<const Zone> zone_;
  std::uint64_t seen_version_ = 0;
  std::uint64_t rotation_ = 0;

  Counter queries_{0};
  Counter no_error_{0};
  Counter form_err_{0};
  Counter serv_fail_{0};
  Counter nx_domain_{0};
  Counter not_imp_{0};
  Counter refused_{0};
  Counter bad_vers_{0};
  Counter dropped_{0};
  Counter truncated_{0};
  Counter unsent_{0};
  Counter connections_{0};
  Counter refused_connections_{0};
};

}  // namespace hikae::dns
