#include "app/resolver_files.h"

#include <sstream>
#include <vector>

#include <fmt/format.h>

#include "base/strings.h"

namespace hikae::app {
namespace {

// resolv.h: MAXNS. Further servers would be ignored.
constexpr std::size_t kMaxNameservers = 3;
constexpr std::size_t kMaxNameLength = 253;

std::vector<std::string> words(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> out;
  for (std::string word; in >> word;) {
    out.push_back(word);
  }
  return out;
}

bool is_host_name(std::string_view name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789-.";
  return !name.empty() && name.size() <= kMaxNameLength &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

}  // namespace

std::string private_resolv_conf(std::string_view original, Ipv4 dns) {
  std::string out = fmt::format("# Written by hikae shell.\nnameserver {}\n", dns.str());
  std::size_t servers = 1;
  for (const std::string& line : split(original, '\n')) {
    const auto parts = words(line);
    if (parts.size() < 2 || parts[0].front() == '#' || parts[0].front() == ';') {
      continue;
    }
    if (parts[0] == "nameserver" && (parts[1] == dns.str() || ++servers > kMaxNameservers)) {
      continue;
    }
    out += line + "\n";
  }
  return out;
}

std::optional<std::string> private_nsswitch(std::string_view original) {
  std::string out;
  bool changed = false;
  for (const std::string& line : split(original, '\n')) {
    const auto parts = words(line);
    const bool is_hosts = !parts.empty() && parts[0] == "hosts:";
    if (is_hosts && line.find("resolve") != std::string::npos) {
      out += "hosts: files dns\n";
      changed = true;
    } else {
      out += line + "\n";
    }
  }
  return changed ? std::optional(out) : std::nullopt;
}

Result<std::string> private_hosts(std::string_view original, std::string_view names) {
  std::string out(original);
  if (!out.empty() && out.back() != '\n') {
    out += '\n';
  }
  out += "# Written by hikae shell, kept up to date.\n";
  for (const std::string& line : split(names, '\n')) {
    const auto parts = words(line);
    if (parts.empty()) {
      continue;
    }
    if (parts.size() != 2 || !Ipv4::parse(parts[0]) || !is_host_name(parts[1])) {
      return fail(ErrorCode::kInvalid, "not an address and a name: " + line);
    }
    out += line + "\n";
  }
  return out;
}

}  // namespace hikae::app
