#include "adapters/dns_server/dns_server.h"

#include <optional>
#include <pthread.h>
#include <signal.h>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include "adapters/dns_server/answering.h"
#include "adapters/dns_server/tcp_listener.h"
#include "adapters/dns_server/udp_listener.h"
#include "base/check.h"

namespace hikae::dns {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using boost::system::error_code;

// With port 0 the kernel picks a UDP port whose TCP twin may be taken; then another one is tried.
constexpr int kFreePortAttempts = 16;
// Bursts of this many bytes wait in the kernel while a batch is answered.
constexpr int kSocketBufferBytes = 4 * 1024 * 1024;

Error listen_error(const ListenAddress& at, const char* protocol, const error_code& error) {
  const std::string head = fmt::format("cannot serve DNS at {} ({}): ", at.str(), protocol);
  if (error == asio::error::access_denied) {
    return Error{ErrorCode::kDenied,
                 head +
                     "ports below 1024 need a permission. Give it with `sudo sysctl "
                     "net.ipv4.ip_unprivileged_port_start=53`, or use a port above 1023"};
  }
  if (error == asio::error::address_in_use) {
    return Error{ErrorCode::kConflict,
                 head + fmt::format("another program has the port. See which with `ss -lntup "
                                    "'sport = :{}'`, and stop it or choose another address",
                                    at.port)};
  }
  if (error == boost::system::errc::address_not_available) {
    return Error{ErrorCode::kInvalid,
                 head + fmt::format("this machine does not have the address. Choose another one, "
                                    "or add it with `sudo ip address add {}/32 dev lo`",
                                    at.address.str())};
  }
  return Error{ErrorCode::kUnavailable, head + error.message()};
}

bool is_any(Ipv4 address) {
  return address == Ipv4();
}

struct Sockets {
  udp::socket udp_socket;
  tcp::acceptor tcp_acceptor;
  ListenAddress address;  // with the real port
};

// Once, at one port.
Result<Sockets> open_sockets(asio::io_context& context, const ListenAddress& wanted) {
  const asio::ip::address_v4 address(wanted.address.bits());
  Sockets sockets{udp::socket(context), tcp::acceptor(context), wanted};
  error_code error;
  udp::socket& datagrams = sockets.udp_socket;
  datagrams.open(udp::v4(), error);
  if (!error) {
    datagrams.bind(udp::endpoint(address, wanted.port), error);
  }
  if (error) {
    return tl::unexpected(listen_error(wanted, "UDP", error));
  }
  sockets.address.port = datagrams.local_endpoint(error).port();
  datagrams.non_blocking(true, error);
  error_code ignored;  // less than asked for is fine
  datagrams.set_option(udp::socket::receive_buffer_size(kSocketBufferBytes), ignored);
  datagrams.set_option(udp::socket::send_buffer_size(kSocketBufferBytes), ignored);
  if (is_any(wanted.address)) {
    const int on = 1;
    ::setsockopt(datagrams.native_handle(), IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
  }

  tcp::acceptor& acceptor = sockets.tcp_acceptor;
  acceptor.open(tcp::v4(), error);
  if (!error) {
    acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    acceptor.bind(tcp::endpoint(address, sockets.address.port), error);
  }
  if (!error) {
    acceptor.listen(asio::socket_base::max_listen_connections, error);
  }
  if (error) {
    return tl::unexpected(listen_error(sockets.address, "TCP", error));
  }
  return sockets;
}

Result<Sockets> open_at(asio::io_context& context, const ListenAddress& wanted) {
  const int attempts = wanted.port == 0 ? kFreePortAttempts : 1;
  Result<Sockets> sockets = open_sockets(context, wanted);
  for (int i = 1; i < attempts && !sockets; ++i) {
    sockets = open_sockets(context, wanted);
  }
  return sockets;
}

}  // namespace

std::string ListenAddress::str() const {
  return fmt::format("{}:{}", address.str(), port);
}

// Order of members: handlers that are destroyed with context_ still use those above it.
class DnsServer::Impl {
 public:
  explicit Impl(DnsServerOptions options) : options_(options) {}

  ~Impl() { stop(); }

  std::vector<Listening> start(const std::vector<ListenAddress>& addresses) {
    HIKAE_CHECK(context_ && udp_.empty());
    std::vector<Listening> outcome;
    for (const ListenAddress& address : addresses) {
      auto sockets = open_at(*context_, address);
      if (!sockets) {
        outcome.push_back(Listening{address, tl::unexpected(sockets.error())});
        continue;
      }
      outcome.push_back(Listening{sockets->address, {}});
      udp_.push_back(std::make_unique<UdpListener>(std::move(sockets->udp_socket), answering_,
                                                   is_any(address.address)));
      tcp_.push_back(std::make_unique<TcpListener>(std::move(sockets->tcp_acceptor), answering_,
                                                   open_connections_, options_));
    }
    if (!udp_.empty()) {
      run();
    }
    return outcome;
  }

  void stop() {
    if (!context_) {
      return;
    }
    context_->stop();
    if (thread_.joinable()) {
      thread_.join();
    }
    udp_.clear();
    tcp_.clear();
    context_.reset();  // and with it the open connections
  }

  Answering& answering() { return answering_; }

 private:
  void run() {
    for (const auto& listener : udp_) {
      listener->start();
    }
    for (const auto& listener : tcp_) {
      listener->start();
    }
    // Signals are for the main thread: the new thread inherits a mask that blocks them.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] {
      if (options_.on_thread) {
        options_.on_thread();
      }
      context_->run();
    });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_setname_np(thread_.native_handle(), "hikae-dns");
  }

  const DnsServerOptions options_;
  Answering answering_;
  std::size_t open_connections_ = 0;
  std::optional<asio::io_context> context_{std::in_place, 1};
  std::vector<std::unique_ptr<UdpListener>> udp_;
  std::vector<std::unique_ptr<TcpListener>> tcp_;
  std::thread thread_;
};

DnsServer::DnsServer(DnsServerOptions options) : impl_(std::make_unique<Impl>(options)) {}

DnsServer::~DnsServer() = default;

std::vector<DnsServer::Listening> DnsServer::start(const std::vector<ListenAddress>& addresses) {
  return impl_->start(addresses);
}

void DnsServer::publish(std::shared_ptr<const Zone> zone) {
  impl_->answering().publish(std::move(zone));
}

void DnsServer::stop() {
  impl_->stop();
}

DnsCounters DnsServer::counters() const {
  return impl_->answering().counters();
}

}  // namespace hikae::dns
