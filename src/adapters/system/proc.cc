#include "adapters/system/proc.h"

#include <charconv>
#include <ctime>
#include <filesystem>
#include <optional>
#include <sstream>

#include <fmt/format.h>

#include "adapters/system/files.h"
#include "base/strings.h"

namespace hikae::adapters {
namespace {

namespace fs = std::filesystem;
using Protocol = ListeningSocket::Protocol;

// Socket states of include/net/tcp_states.h: TCP_LISTEN, and TCP_CLOSE for an unconnected UDP
// socket.
constexpr std::string_view kTcpListen = "0A";
constexpr std::string_view kUdpOpen = "07";
constexpr std::size_t kInodeColumn = 9;

std::optional<std::uint32_t> parse_hex(std::string_view text) {
  std::uint32_t value = 0;
  const auto end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, 16);
  return error == std::errc() && stop == end ? std::optional(value) : std::nullopt;
}

std::vector<std::string> words(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> out;
  for (std::string word; in >> word;) {
    out.push_back(word);
  }
  return out;
}

// All entries of /proc (or of a directory below it) whose name is a number. Entries that vanish or
// are forbidden are left out: processes come and go while we look.
std::vector<fs::path> numbered_entries(const std::string& directory) {
  std::vector<fs::path> out;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    if (parse_integer(it->path().filename().string())) {
      out.push_back(it->path());
    }
  }
  return out;
}

std::string process_name(const fs::path& process) {
  const auto name = read_file(process / "comm");
  return name ? std::string(trim(*name)) : std::string();
}

bool is_zombie(const fs::path& process) {
  const auto stat = read_file(process / "stat");
  if (!stat) {
    return true;
  }
  const auto after_name = stat->rfind(") ");  // the name may hold brackets and blanks itself
  return after_name == std::string::npos || stat->compare(after_name + 2, 1, "Z") == 0;
}

}  // namespace

std::vector<ListeningSocket> parse_proc_net(std::string_view text, Protocol protocol, bool ipv6) {
  std::vector<ListeningSocket> out;
  const std::string_view wanted = protocol == Protocol::kTcp ? kTcpListen : kUdpOpen;
  for (const std::string& line : split(text, '\n')) {
    const auto columns = words(line);
    if (columns.size() <= kInodeColumn || columns[3] != wanted) {
      continue;
    }
    const auto local = split(columns[1], ':');
    const auto port = local.size() == 2 ? parse_hex(local[1]) : std::nullopt;
    const auto inode = parse_integer(columns[kInodeColumn]);
    if (!port || !inode || local[0].size() < 8) {
      continue;
    }
    ListeningSocket socket;
    socket.protocol = protocol;
    socket.ipv6 = ipv6;
    socket.wildcard = local[0].find_first_not_of('0') == std::string::npos;
    if (!ipv6) {
      // The kernel prints the address as one number in the machine's order.
      socket.address = Ipv4(__builtin_bswap32(parse_hex(local[0]).value_or(0)));
    }
    socket.port = std::uint16_t(*port);
    socket.inode = std::uint64_t(*inode);
    out.push_back(socket);
  }
  return out;
}

std::vector<ListeningSocket> listening_sockets() {
  std::vector<ListeningSocket> out;
  const auto add = [&out](const char* path, Protocol protocol, bool ipv6) {
    const auto text = read_file(path);
    if (text) {
      const auto sockets = parse_proc_net(*text, protocol, ipv6);
      out.insert(out.end(), sockets.begin(), sockets.end());
    }
  };
  add("/proc/net/tcp", Protocol::kTcp, false);
  add("/proc/net/tcp6", Protocol::kTcp, true);
  add("/proc/net/udp", Protocol::kUdp, false);
  add("/proc/net/udp6", Protocol::kUdp, true);
  return out;
}

std::vector<ListeningSocket> sockets_in_the_way(const std::vector<ListeningSocket>& sockets,
                                                Protocol protocol, Ipv4 address,
                                                std::uint16_t port) {
  std::vector<ListeningSocket> out;
  for (const ListeningSocket& socket : sockets) {
    const bool covers =
        socket.wildcard || (!socket.ipv6 && socket.address == address && address != Ipv4());
    if (socket.protocol == protocol && socket.port == port && covers) {
      out.push_back(socket);
    }
  }
  return out;
}

std::vector<RunningProcess> running_processes() {
  std::vector<RunningProcess> out;
  for (const fs::path& process : numbered_entries("/proc")) {
    if (is_zombie(process)) {
      continue;
    }
    std::error_code error;
    RunningProcess running;
    running.pid = pid_t(*parse_integer(process.filename().string()));
    running.name = process_name(process);
    running.working_directory = fs::read_symlink(process / "cwd", error).string();
    out.push_back(std::move(running));
  }
  return out;
}

std::string socket_owner(std::uint64_t inode) {
  const std::string wanted = fmt::format("socket:[{}]", inode);
  for (const fs::path& process : numbered_entries("/proc")) {
    for (const fs::path& descriptor : numbered_entries(process / "fd")) {
      std::error_code error;
      if (fs::read_symlink(descriptor, error) == wanted) {
        return fmt::format("{} (pid {})", process_name(process), process.filename().string());
      }
    }
  }
  return {};
}

std::string holder_of(const ListeningSocket& socket) {
  const std::string owner = socket_owner(socket.inode);
  return owner.empty() ? "a program of another user (sudo ss -lntup names it)" : owner;
}

std::string port_holder(Protocol protocol, Ipv4 address, std::uint16_t port) {
  const auto taken = sockets_in_the_way(listening_sockets(), protocol, address, port);
  return taken.empty() ? std::string() : holder_of(taken.front());
}

std::string tcp_port_holder(Ipv4 address, std::uint16_t port) {
  return port_holder(Protocol::kTcp, address, port);
}

Duration thread_cpu_time() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::microseconds(used.tv_nsec / 1'000);
}

}  // namespace hikae::adapters
