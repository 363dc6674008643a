#include "app/environment.h"

#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

#include "adapters/system/data_directory.h"
#include "app/ca_file.h"

namespace hikae::app {

Result<Variables> client_variables(const std::string& data_directory, const RuntimeFacts& facts) {
  auto key = adapters::read_credentials(data_directory);
  if (!key) {
    return tl::unexpected(key.error());
  }
  return Variables{{"AWS_ENDPOINT_URL", "http://" + facts.api},
                   {"AWS_ACCESS_KEY_ID", key->access_key_id},
                   {"AWS_SECRET_ACCESS_KEY", key->secret_access_key},
                   {"AWS_DEFAULT_REGION", facts.region},
                   // The SDKs for Go, Java and JavaScript read this name alone.
                   {"AWS_REGION", facts.region},
                   // For clients of encrypted caches: redis-cli --tls --cacert "$HIKAE_CA_FILE"
                   {"HIKAE_CA_FILE", ca_path(data_directory)}};
}

const std::vector<std::string>& conflicting_variables() {
  static const std::vector<std::string> names = {"AWS_SESSION_TOKEN",
                                                 "AWS_SECURITY_TOKEN",
                                                 "AWS_PROFILE",
                                                 "AWS_DEFAULT_PROFILE",
                                                 "AWS_ENDPOINT_URL_ELASTICACHE",
                                                 "AWS_ENDPOINT_URL_EC2",
                                                 "AWS_ENDPOINT_URL_STS",
                                                 "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"};
  return names;
}

std::string shell_quote(std::string_view text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:@%+=,";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos) {
    return std::string(text);
  }
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string render_exports(const Variables& variables) {
  std::string out;
  for (const auto& [name, value] : variables) {
    out += fmt::format("export {}={}\n", name, shell_quote(value));
  }
  return out;
}

int run_env(const std::string& data_directory) {
  const auto facts = read_runtime_facts(data_directory);
  const auto variables = facts ? client_variables(data_directory, *facts)
                               : Result<Variables>(tl::unexpected(facts.error()));
  if (!variables) {
    fmt::print(stderr, "hikae env: {}\n", variables.error().message);
    return 1;
  }
  if (!adapters::lock_holder(data_directory)) {
    fmt::print(stderr, "hikae env: note: the region is not being served now\n");
  }
  std::string lines = render_exports(*variables);
  for (const std::string& name : conflicting_variables()) {
    if (std::getenv(name.c_str()) != nullptr) {
      lines += fmt::format("unset {}\n", name);
    }
  }
  fmt::print("{}", lines);
  return 0;
}

}  // namespace hikae::app
