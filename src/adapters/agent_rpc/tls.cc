#include "adapters/agent_rpc/tls.h"

#include <utility>

#include <boost/asio/buffer.hpp>
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace hikae::agent_rpc {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

constexpr unsigned char kSessionContext[] = "hikae";

void harden(ssl::context& context) {
  SSL_CTX* native = context.native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_3_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(native, 0);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_session_id_context(native, kSessionContext, sizeof kSessionContext - 1);
}

boost::asio::const_buffer bytes(const std::string& text) {
  return boost::asio::buffer(text.data(), text.size());
}

Result<TlsContext> with_identity(ssl::context::method method, const TlsIdentity& identity) {
  auto context = std::make_shared<ssl::context>(method);
  harden(*context);
  error_code error;
  context->use_certificate_chain(bytes(identity.chain), error);
  if (!error) {
    context->use_private_key(bytes(identity.key), ssl::context::pem, error);
  }
  if (!error) {
    context->add_certificate_authority(bytes(identity.ca_certificate), error);
  }
  if (!error) {
    context->set_verify_mode(ssl::verify_peer, error);
  }
  if (error) {
    return fail(ErrorCode::kInvalid,
                fmt::format("the certificate and its key cannot be used: {}", error.message()));
  }
  return context;
}

// A context that lives together with the fingerprint its callback looks at.
struct Pinned {
  explicit Pinned(std::string ca) : fingerprint(std::move(ca)), context(ssl::context::tls_client) {}
  std::string fingerprint;
  ssl::context context;
};

// Verifies the peer's chain with that one of its certificates as root whose fingerprint is known.
int verify_pinned(X509_STORE_CTX* store, void* argument) {
  const auto& pinned = *static_cast<const Pinned*>(argument);
  STACK_OF(X509)* sent = X509_STORE_CTX_get0_untrusted(store);
  STACK_OF(X509)* trusted = sk_X509_new_null();
  for (int i = 0; i < sk_X509_num(sent); ++i) {
    X509* certificate = sk_X509_value(sent, i);
    if (net::fingerprint_of(certificate) == pinned.fingerprint) {
      sk_X509_push(trusted, certificate);
    }
  }
  X509_STORE_CTX_set0_trusted_stack(store, trusted);
  const int verified = X509_verify_cert(store);
  sk_X509_free(trusted);
  return verified;
}

}  // namespace

Result<TlsContext> server_tls(const TlsIdentity& identity) {
  return with_identity(ssl::context::tls_server, identity);
}

Result<TlsContext> agent_tls(const TlsIdentity& identity) {
  return with_identity(ssl::context::tls_client, identity);
}

Result<TlsContext> joining_tls(const std::string& ca_fingerprint) {
  auto pinned = std::make_shared<Pinned>(ca_fingerprint);
  harden(pinned->context);
  error_code error;
  pinned->context.set_verify_mode(ssl::verify_peer, error);
  if (error) {
    return fail(ErrorCode::kInternal, fmt::format("TLS cannot be used: {}", error.message()));
  }
  SSL_CTX_set_cert_verify_callback(pinned->context.native_handle(), verify_pinned, pinned.get());
  ssl::context* context = &pinned->context;
  return TlsContext(std::move(pinned), context);
}

std::optional<PeerIdentity> peer_identity(SSL* connection) {
  X509* certificate = SSL_get0_peer_certificate(connection);
  if (certificate == nullptr || SSL_get_verify_result(connection) != X509_V_OK) {
    return std::nullopt;
  }
  auto facts = net::facts_of(certificate);
  return facts ? std::optional(std::move(*facts)) : std::nullopt;
}

}  // namespace hikae::agent_rpc
