#include "app/programs.h"

#include <cstdio>
#include <cstdlib>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "app/environment.h"
#include "base/strings.h"

namespace hikae::app {

std::string find_program(std::string_view name, std::string_view path) {
  for (const std::string& directory : split(path, ':')) {
    const std::string candidate = (directory.empty() ? "." : directory) + "/" + std::string(name);
    struct stat info = {};
    if (::stat(candidate.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
        ::access(candidate.c_str(), X_OK) == 0) {
      return candidate;
    }
  }
  return {};
}

Result<std::string> program_output(const std::string& program, const std::string& argument) {
  const std::string command = shell_quote(program) + " " + shell_quote(argument) + " 2>&1";
  FILE* pipe = ::popen(command.c_str(), "re");
  if (pipe == nullptr) {
    return fail(ErrorCode::kExhausted, program + " cannot be started");
  }
  char buffer[4096];
  const std::size_t got = ::fread(buffer, 1, sizeof buffer, pipe);
  while (::fgetc(pipe) != EOF) {  // a program that cannot write would fail
  }
  const int status = ::pclose(pipe);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return fail(ErrorCode::kUnavailable, fmt::format("{} {} failed", program, argument));
  }
  return std::string(buffer, got);
}

std::string search_path() {
  const char* path = std::getenv("PATH");
  return std::string(path == nullptr ? "" : path) +
         ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin";
}

namespace {

std::vector<std::string> engine_programs(const std::vector<std::string>& configured) {
  std::vector<std::string> programs;
  for (const std::string& program : configured) {
    if (!program.empty()) {
      programs.push_back(program);
    }
  }
  const std::string path = search_path();
  for (const std::string& name : engine::engine_program_names()) {
    const std::string found = find_program(name, path);
    if (!found.empty()) {
      programs.push_back(found);
    }
  }
  return programs;
}

}  // namespace

std::vector<engine::InstalledEngine> find_engines(const std::vector<std::string>& configured) {
  return engine::discover_engines(engine_programs(configured), [](const std::string& program) {
    return program_output(program, "--version");
  });
}

std::string engines_fingerprint(const std::vector<std::string>& configured) {
  std::string out;
  for (const std::string& program : engine_programs(configured)) {
    struct stat info = {};
    if (::stat(program.c_str(), &info) == 0) {
      out += fmt::format("{} {} {} {} {}.{}\n", program, info.st_dev, info.st_ino, info.st_size,
                         info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
    }
  }
  return out;
}

}  // namespace hikae::app
