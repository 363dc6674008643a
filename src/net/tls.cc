#include "net/tls.h"

#include <boost/asio/ssl/verify_mode.hpp>
#include <fmt/format.h>
#include <openssl/ssl.h>

namespace hikae::net {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

tl::unexpected<Error> unusable(std::string_view what, const std::string& file,
                               const error_code& error) {
  return fail(ErrorCode::kInvalid,
              fmt::format("{} {} cannot be used: {}", what, file, error.message()));
}

Status load_own_certificate(ssl::context& context, const TlsFiles& files) {
  error_code error;
  context.use_certificate_chain_file(files.certificate_file, error);
  if (error) {
    return unusable("the certificate", files.certificate_file, error);
  }
  context.use_private_key_file(files.key_file, ssl::context::pem, error);
  if (error) {
    return unusable("the key", files.key_file, error);
  }
  if (SSL_CTX_check_private_key(context.native_handle()) != 1) {
    return fail(ErrorCode::kInvalid, fmt::format("the key {} does not belong to the certificate {}",
                                                 files.key_file, files.certificate_file));
  }
  return {};
}

}  // namespace

Result<TlsContext> load_tls(const TlsFiles& files) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  error_code error;
  context->set_verify_mode(ssl::verify_peer, error);
  if (files.ca_file.empty()) {
    context->set_default_verify_paths(error);
  } else {
    context->load_verify_file(files.ca_file, error);
  }
  if (error) {
    return unusable("the CA file", files.ca_file.empty() ? "of the system" : files.ca_file, error);
  }
  if (files.certificate_file.empty() != files.key_file.empty()) {
    return fail(ErrorCode::kInvalid,
                "a client certificate needs its key too, and a key needs its "
                "certificate");
  }
  if (!files.certificate_file.empty()) {
    if (Status loaded = load_own_certificate(*context, files); !loaded) {
      return tl::unexpected(loaded.error());
    }
  }
  return context;
}

}  // namespace hikae::net
