#include "app/s3_access.h"

#include <algorithm>
#include <cstdlib>
#include <sys/stat.h>

#include <fmt/format.h>

#include "adapters/system/files.h"
#include "base/strings.h"
#include "core/resource/migration.h"
#include "net/tls.h"

namespace hikae::app {
namespace {

constexpr const char* kKeyVariable = "HIKAE_S3_ACCESS_KEY_ID";
constexpr const char* kSecretVariable = "HIKAE_S3_SECRET_ACCESS_KEY";
constexpr const char* kTokenVariable = "HIKAE_S3_SESSION_TOKEN";
constexpr std::size_t kMostCredentialBytes = 64 * 1024;
constexpr std::uint16_t kPlainPort = 80;
constexpr std::uint16_t kTlsPort = 443;

tl::unexpected<Error> bad(std::string_view url) {
  return fail(ErrorCode::kInvalid,
              fmt::format("s3.endpoint \"{}\" is not of the form http://HOST:PORT or "
                          "https://HOST:PORT",
                          url));
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool is_whole(const codec::Credential& credential) {
  return !credential.access_key_id.empty() && !credential.secret.empty();
}

Status check_closed(const std::string& file) {
  struct stat info{};
  const bool open = ::stat(file.c_str(), &info) == 0 && (info.st_mode & 077) != 0;
  return open ? Status(fail(ErrorCode::kDenied,
                            fmt::format("{} can be read by others; chmod 600 it", file)))
              : Status();
}

Result<codec::Credential> credential_of(const S3Config& config) {
  if (!config.credentials_file.empty()) {
    return read_s3_credentials(config.credentials_file);
  }
  codec::Credential out;
  out.access_key_id = variable(kKeyVariable);
  out.secret = variable(kSecretVariable);
  const std::string token = variable(kTokenVariable);
  out.session_token = token.empty() ? std::nullopt : std::optional(token);
  if (!is_whole(out)) {
    return fail(ErrorCode::kInvalid,
                fmt::format("the access key for {} is missing; give --s3-credentials-file, or ${} "
                            "and ${}",
                            config.server.str(), kKeyVariable, kSecretVariable));
  }
  return out;
}

}  // namespace

Result<S3Config> parse_s3_endpoint(std::string_view url) {
  S3Config config;
  config.tls = url.starts_with("https://");
  if (!config.tls && !url.starts_with("http://")) {
    return bad(url);
  }
  std::string_view rest = url.substr(url.find("//") + 2);
  if (rest.ends_with('/')) {
    rest.remove_suffix(1);
  }
  const auto colon = rest.rfind(':');
  const std::uint16_t usual = config.tls ? kTlsPort : kPlainPort;
  const auto port =
      colon == std::string_view::npos ? usual : parse_integer(rest.substr(colon + 1)).value_or(0);
  config.server.host = std::string(rest.substr(0, colon));
  if (!core::is_host_name(config.server.host) || port < 1 || port > 65535) {
    return bad(url);
  }
  config.server.port = std::uint16_t(port);
  config.host = config.server.port == usual ? config.server.host : config.server.str();
  return config;
}

Result<codec::Credential> read_s3_credentials(const std::string& file) {
  if (Status closed = check_closed(file); !closed) {
    return tl::unexpected(closed.error());
  }
  const auto text = adapters::read_file(file, kMostCredentialBytes);
  if (!text) {
    return tl::unexpected(text.error());
  }
  codec::Credential out;
  int sections = 0;
  for (const std::string& line : split(*text, '\n')) {
    const auto equals = line.find('=');
    sections += trim(line).starts_with('[');
    if (equals == std::string::npos || sections > 1) {
      continue;
    }
    const std::string_view name = trim(std::string_view(line).substr(0, equals));
    const std::string value(trim(std::string_view(line).substr(equals + 1)));
    if (name == "aws_access_key_id") {
      out.access_key_id = value;
    } else if (name == "aws_secret_access_key") {
      out.secret = value;
    } else if (name == "aws_session_token") {
      out.session_token = value;
    }
  }
  if (!is_whole(out)) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{} has no aws_access_key_id and aws_secret_access_key", file));
  }
  return out;
}

Result<s3::S3Options> s3_options(const S3Config& config) {
  s3::S3Options options;
  options.server = config.server;
  options.account.host = config.host;
  options.account.region = config.region;
  auto credential = credential_of(config);
  if (!credential) {
    return tl::unexpected(credential.error());
  }
  options.account.credential = std::move(*credential);
  if (config.tls) {
    auto tls = net::load_tls({config.ca_file, "", ""});
    if (!tls) {
      return tl::unexpected(tls.error());
    }
    options.tls = std::move(*tls);
  }
  return options;
}

}  // namespace hikae::app
