#include "app/dns_probe.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/strings.h"

namespace hikae::app {
namespace {

// RFC 1035 4.1: header, then one question for the SOA record of the domain.
std::string soa_query(const std::string& domain) {
  constexpr char kHeader[12] = {'h', 'k', 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  std::string query(kHeader, sizeof kHeader);
  for (const std::string& label : split(domain, '.')) {
    query += char(label.size());
    query += label;
  }
  constexpr char kEnd[5] = {0, 0, 6, 0, 1};  // root label, type SOA, class IN
  return query + std::string(kEnd, sizeof kEnd);
}

}  // namespace

bool dns_answers(const SocketAddress& address, const std::string& domain, int timeout_ms) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return false;
  }
  sockaddr_in where = {};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(address.address.bits());
  where.sin_port = htons(address.port);
  const std::string query = soa_query(domain);
  char answer[512] = {};
  pollfd wait = {fd, POLLIN, 0};
  const bool answered =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0 &&
      ::send(fd, query.data(), query.size(), 0) == ssize_t(query.size()) &&
      ::poll(&wait, 1, timeout_ms) == 1 && ::recv(fd, answer, sizeof answer, 0) >= 12 &&
      answer[0] == 'h' && answer[1] == 'k';
  ::close(fd);
  return answered;
}

}  // namespace hikae::app
