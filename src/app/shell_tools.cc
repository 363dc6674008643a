#include "app/shell_tools.h"

#include <sys/stat.h>

#include <fmt/format.h>

#include "adapters/system/data_directory.h"
#include "adapters/system/files.h"
#include "app/environment.h"
#include "app/programs.h"
#include "base/strings.h"

namespace hikae::app {
namespace {

// `aws --version` takes most of a second, so the answer is kept with what identifies the program.
bool aws_needs_help(const std::string& aws, const std::string& directory) {
  struct stat info = {};
  if (::stat(aws.c_str(), &info) != 0) {
    return false;
  }
  const std::string cache = directory + "/aws-version";
  const std::string identity = fmt::format("{} {} {}", aws, info.st_mtim.tv_sec, info.st_size);
  const auto known = adapters::read_file(cache);
  const auto lines = split(known.value_or(""), '\n');
  std::string version = lines.size() > 1 && lines[0] == identity ? lines[1] : "";
  if (version.empty()) {
    version = std::string(trim(program_output(aws, "--version").value_or("")));
    // Without the note the next shell starts slower; nothing else is lost.
    static_cast<void>(adapters::write_file(cache, identity + "\n" + version + "\n", 0600));
  }
  return knows_endpoint_variable(version) == false;
}

Status install_wrapper(const std::string& directory, const std::string& name,
                       const std::string& script) {
  if (Status made = adapters::make_directory(directory, 0755); !made) {
    return made;
  }
  const std::string path = directory + "/" + name;
  const auto present = adapters::read_file(path);
  if (present && *present == script) {
    return {};
  }
  return adapters::write_file(path, script, 0755);
}

}  // namespace

std::optional<bool> knows_endpoint_variable(std::string_view version_output) {
  constexpr std::string_view kPrefix = "aws-cli/";
  if (version_output.substr(0, kPrefix.size()) != kPrefix) {
    return std::nullopt;
  }
  const auto rest = version_output.substr(kPrefix.size());
  const auto parts = split(rest.substr(0, rest.find(' ')), '.');
  const auto major = parse_integer(parts[0]);
  const auto minor = parts.size() > 1 ? parse_integer(parts[1]) : std::nullopt;
  if (!major || !minor) {
    return std::nullopt;
  }
  return *major > 2 || (*major == 2 && *minor >= 13) || (*major == 1 && *minor >= 29);
}

std::string dig_wrapper(const std::string& dig, const SocketAddress& server,
                        const std::string& domain) {
  return fmt::format(
      "#!/bin/sh\n"
      "# Written by hikae shell: its server has no port 53 here, so dig is told where it is.\n"
      "for word in \"$@\"; do\n"
      "  case $word in\n"
      "    @*|-p*) exec {0} \"$@\" ;;\n"
      "    *{1}|*{1}.) ours=1 ;;\n"
      "  esac\n"
      "done\n"
      "exec {0} ${{ours:+@{2} -p {3}}} \"$@\"\n",
      shell_quote(dig), domain, server.address.str(), server.port);
}

Result<std::string> tool_path(const std::string& data_directory, const RuntimeFacts& facts,
                              const std::string& path, bool with_dig) {
  const std::string base = adapters::absolute_path(data_directory) + "/shell";
  if (Status made = adapters::make_directory(base, 0755); !made) {
    return tl::unexpected(made.error());
  }
  std::string out;
  const std::string dig = find_program("dig", path);
  const auto server = facts.dns.empty() ? std::nullopt : SocketAddress::parse(facts.dns.front());
  if (with_dig && !dig.empty() && server) {
    const std::string script = dig_wrapper(dig, *server, facts.domain);
    if (Status made = install_wrapper(base + "/dig", "dig", script); !made) {
      return tl::unexpected(made.error());
    }
    out += base + "/dig:";
  }
  const std::string aws = find_program("aws", path);
  if (!aws.empty() && aws_needs_help(aws, base)) {
    const std::string script = fmt::format(
        "#!/bin/sh\n# Written by hikae shell: this aws is older than AWS_ENDPOINT_URL.\n"
        "exec {} --endpoint-url \"$AWS_ENDPOINT_URL\" \"$@\"\n",
        shell_quote(aws));
    if (Status made = install_wrapper(base + "/aws", "aws", script); !made) {
      return tl::unexpected(made.error());
    }
    out += base + "/aws:";
  }
  return out + path;
}

}  // namespace hikae::app
