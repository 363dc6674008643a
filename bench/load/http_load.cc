// Sends one request again and again over keep-alive connections to 127.0.0.1:
//   http_load <port> <connections> <milliseconds> <request file>
// Each connection has one request on its way at a time. The file holds the request as it goes on
// the wire, signature included, so the client computes nothing and is not the limit. Prints one
// line of JSON. Every answer is checked for its status; a server that closes is connected to again.
#include <algorithm>
#include <arpa/inet.h>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kReadBytes = 256 * 1024;
constexpr std::size_t kMaxAnswerBytes = 64 * 1024 * 1024;
constexpr int kMaxConnections = 1000;
constexpr int kMaxReconnectsInARow = 20;
constexpr std::chrono::seconds kAnswerLimit{30};

[[noreturn]] void die(const std::string& why) {
  fmt::print(stderr, "http_load: {}\n", why);
  std::exit(1);
}

struct Connection {
  int fd = -1;
  std::string received;
  std::optional<std::size_t> answer_size;  // header and body, once the header is there
  bool server_closes = false;
  Clock::time_point sent;
};

struct Totals {
  std::vector<float> microseconds;  // of every answer
  std::uint64_t bytes = 0;
  std::uint64_t refused = 0;  // answers whose status is not 200
  std::uint64_t reconnects = 0;
};

// The value of a header in `head`, empty when there is none.
std::string_view header_value(std::string_view head, std::string_view name) {
  std::size_t line = head.find("\r\n");
  while (line != std::string_view::npos) {
    const std::string_view rest = head.substr(line + 2);
    if (rest.size() > name.size() && rest[name.size()] == ':' &&
        ::strncasecmp(rest.data(), name.data(), name.size()) == 0) {
      std::string_view value = rest.substr(name.size() + 1);
      value = value.substr(0, value.find("\r\n"));
      value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
      return value;
    }
    line = head.find("\r\n", line + 2);
  }
  return {};
}

class Load {
 public:
  Load(std::uint16_t port, int connections, std::string request)
      : port_(port), request_(std::move(request)), connections_(std::size_t(connections)) {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    buffer_.resize(kReadBytes);
  }

  Totals run(std::chrono::milliseconds duration) {
    for (Connection& connection : connections_) {
      open(connection);
      send(connection);
    }
    const auto end = Clock::now() + duration;
    while (Clock::now() < end || totals_.microseconds.empty()) {
      epoll_event events[64];
      const int count = ::epoll_wait(epoll_, events, 64, int(kAnswerLimit.count() * 1000));
      if (count <= 0) {
        die("no answer within the limit");
      }
      for (int i = 0; i < count; ++i) {
        receive(connections_[events[i].data.u64]);
      }
    }
    for (Connection& connection : connections_) {
      ::close(connection.fd);
    }
    return std::move(totals_);
  }

 private:
  void open(Connection& connection) {
    connection.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(connection.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      die("cannot connect");
    }
    const int on = 1;
    ::setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = std::uint64_t(&connection - connections_.data());
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event);
  }

  void reopen(Connection& connection) {
    ::close(connection.fd);
    ++totals_.reconnects;
    open(connection);
  }

  void send(Connection& connection) {
    connection.received.clear();
    connection.answer_size.reset();
    connection.server_closes = false;
    connection.sent = Clock::now();
    if (::send(connection.fd, request_.data(), request_.size(), MSG_NOSIGNAL) !=
        ssize_t(request_.size())) {
      die("cannot send the request in one piece");
    }
  }

  void receive(Connection& connection) {
    const ssize_t size = ::recv(connection.fd, buffer_.data(), buffer_.size(), 0);
    if (size <= 0) {
      if (++closed_in_a_row_ > kMaxReconnectsInARow) {
        die("the server closes connections without an answer");
      }
      reopen(connection);
      send(connection);
      return;
    }
    connection.received.append(buffer_.data(), std::size_t(size));
    if (!connection.answer_size) {
      read_head(connection);
    }
    if (connection.answer_size && connection.received.size() >= *connection.answer_size) {
      finish(connection);
    }
  }

  void read_head(Connection& connection) {
    const std::string_view text = connection.received;
    const std::size_t end = text.find("\r\n\r\n");
    if (end == std::string_view::npos) {
      return;
    }
    const std::string_view head = text.substr(0, end + 2);
    const std::string length(header_value(head, "Content-Length"));
    if (length.empty() || std::strtoul(length.c_str(), nullptr, 10) > kMaxAnswerBytes) {
      die(fmt::format("an answer without a usable Content-Length:\n{}", head));
    }
    connection.answer_size = end + 4 + std::strtoul(length.c_str(), nullptr, 10);
    connection.server_closes =
        header_value(head, "Connection") == "close" || head.starts_with("HTTP/1.0");
    if (head.substr(8, 5) != " 200 " && ++totals_.refused == 1) {
      fmt::print(stderr, "http_load: an answer that is not 200:\n{}\n", text);
    }
  }

  void finish(Connection& connection) {
    const std::chrono::duration<float, std::micro> took = Clock::now() - connection.sent;
    totals_.microseconds.push_back(took.count());
    totals_.bytes += connection.received.size();
    closed_in_a_row_ = 0;
    if (connection.server_closes) {
      reopen(connection);
    }
    send(connection);
  }

  std::uint16_t port_;
  std::string request_;
  std::vector<Connection> connections_;
  std::vector<char> buffer_;
  int epoll_ = -1;
  int closed_in_a_row_ = 0;
  Totals totals_;
};

}  // namespace

int main(int argc, char** argv) {
  const int port = argc == 5 ? std::atoi(argv[1]) : 0;
  const int connections = argc == 5 ? std::atoi(argv[2]) : 0;
  const int milliseconds = argc == 5 ? std::atoi(argv[3]) : 0;
  if (port < 1 || port > 65535 || connections < 1 || connections > kMaxConnections ||
      milliseconds < 1) {
    fmt::print(stderr, "usage: http_load <port> <connections> <milliseconds> <request file>\n");
    return 2;
  }
  std::ifstream file(argv[4], std::ios::binary);
  std::stringstream request;
  request << file.rdbuf();
  if (!file || request.str().empty()) {
    die("cannot read the request file");
  }
  const auto start = Clock::now();
  Load load(std::uint16_t(port), connections, request.str());
  Totals totals = load.run(std::chrono::milliseconds(milliseconds));
  const std::chrono::duration<double> took = Clock::now() - start;
  std::sort(totals.microseconds.begin(), totals.microseconds.end());
  const auto at = [&](double share) {
    return totals.microseconds[std::size_t(share * double(totals.microseconds.size() - 1))];
  };
  fmt::print(
      "{{\"answers\": {}, \"seconds\": {:.6f}, \"rate\": {:.1f}, \"min_us\": {:.1f}, "
      "\"median_us\": {:.1f}, \"p99_us\": {:.1f}, \"bytes\": {}, \"refused\": {}, "
      "\"reconnects\": {}}}\n",
      totals.microseconds.size(), took.count(), double(totals.microseconds.size()) / took.count(),
      at(0), at(0.5), at(0.99), totals.bytes, totals.refused, totals.reconnects);
  return 0;
}
