#include "app/agent_identity.h"

#include <fmt/format.h>

#include "adapters/certificates/certificates.h"
#include "adapters/system/files.h"

namespace hikae::app {
namespace {

constexpr const char* kKey = "key.pem";
constexpr const char* kCertificate = "certificate.pem";
constexpr const char* kCa = "ca.pem";

std::string in(const std::string& directory, const char* name) {
  return fmt::format("{}/{}", directory, name);
}

tl::unexpected<Error> damaged(const std::string& directory, const std::string& why) {
  return fail(
      ErrorCode::kInvalid,
      fmt::format("{} does not hold this host's key and certificate ({}); move it away, and "
                  "let the host join again with a new token",
                  directory, why));
}

}  // namespace

Instant AgentIdentity::renew_at() const {
  return not_before + (not_after - not_before) / 3 * 2;
}

AgentIdentityFiles::AgentIdentityFiles(const std::string& data_directory)
    : directory_(data_directory + "/agent") {}

Result<std::optional<AgentIdentity>> AgentIdentityFiles::load() const {
  auto certificate = adapters::read_file(in(directory_, kCertificate));
  if (!certificate && certificate.error().code == ErrorCode::kNotFound) {
    return std::nullopt;
  }
  auto key = adapters::read_file(in(directory_, kKey));
  auto ca = adapters::read_file(in(directory_, kCa));
  if (!certificate || !key || !ca) {
    return damaged(directory_, "a file cannot be read");
  }
  const auto facts = adapters::read_certificate(*certificate);
  const auto identity = adapters::identity_of_key(*key);
  if (!facts || !identity || facts->identity != *identity) {
    return damaged(directory_, "they do not belong together");
  }
  AgentIdentity out;
  out.tls = {std::move(*key), std::move(*certificate), std::move(*ca)};
  out.host = facts->name;
  out.not_before = facts->not_before;
  out.not_after = facts->not_after;
  return out;
}

Result<std::string> AgentIdentityFiles::key() const {
  if (Status made = adapters::make_directory(directory_, 0700); !made) {
    return tl::unexpected(made.error());
  }
  const std::string path = in(directory_, kKey);
  auto stored = adapters::read_file(path);
  if (stored || stored.error().code != ErrorCode::kNotFound) {
    return stored;
  }
  auto fresh = adapters::make_key();
  if (fresh) {
    if (Status written = adapters::write_file(path, *fresh, 0600); !written) {
      return tl::unexpected(written.error());
    }
  }
  return fresh;
}

Status AgentIdentityFiles::save(const std::string& certificate,
                                const std::string& ca_certificate) const {
  // The certificate last: with it the host has joined.
  Status written = adapters::write_file(in(directory_, kCa), ca_certificate, 0644);
  return written ? save(certificate) : written;
}

Status AgentIdentityFiles::save(const std::string& certificate) const {
  return adapters::write_file(in(directory_, kCertificate), certificate, 0644);
}

}  // namespace hikae::app
