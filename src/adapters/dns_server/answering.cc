#include "adapters/dns_server/answering.h"

#include <utility>

namespace hikae::dns {

void Answering::publish(std::shared_ptr<const Zone> zone) {
  {
    const std::lock_guard lock(mutex_);
    published_.swap(zone);
    version_.fetch_add(1, std::memory_order_release);
  }
  // A zone nobody has fetched is destroyed here, outside the lock.
}

void Answering::refresh() {
  if (version_.load(std::memory_order_acquire) == seen_version_) {
    return;
  }
  std::shared_ptr<const Zone> fresh;
  {
    const std::lock_guard lock(mutex_);
    fresh = published_;
    seen_version_ = version_.load(std::memory_order_relaxed);
  }
  zone_ = std::move(fresh);
}

std::size_t Answering::answer(std::span<const std::uint8_t> message, Transport transport,
                              std::span<std::uint8_t> out) {
  add(queries_, 1);
  const Answer result = dns::answer(message, zone_.get(), rotation_++, transport, out);
  if (result.size == 0) {
    add(dropped_, 1);
    return 0;
  }
  add(counter_of(result.rcode), 1);
  if (result.truncated) {
    add(truncated_, 1);
  }
  return result.size;
}

Answering::Counter& Answering::counter_of(codec::dns::Rcode rcode) {
  using codec::dns::Rcode;
  switch (rcode) {
    case Rcode::kNoError:
      return no_error_;
    case Rcode::kFormErr:
      return form_err_;
    case Rcode::kServFail:
      return serv_fail_;
    case Rcode::kNxDomain:
      return nx_domain_;
    case Rcode::kNotImp:
      return not_imp_;
    case Rcode::kRefused:
      return refused_;
    case Rcode::kBadVers:
      return bad_vers_;
  }
  return serv_fail_;
}

DnsCounters Answering::counters() const {
  const auto read = [](const Counter& counter) { return counter.load(std::memory_order_relaxed); };
  return DnsCounters{
      .queries = read(queries_),
      .no_error = read(no_error_),
      .form_err = read(form_err_),
      .serv_fail = read(serv_fail_),
      .nx_domain = read(nx_domain_),
      .not_imp = read(not_imp_),
      .refused = read(refused_),
      .bad_vers = read(bad_vers_),
      .dropped = read(dropped_),
      .truncated = read(truncated_),
      .unsent = read(unsent_),
      .tcp_connections = read(connections_),
      .tcp_refused = read(refused_connections_),
  };
}

}  // namespace hikae::dns
