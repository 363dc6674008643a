#include "adapters/certificates/certificate_authority.h"

#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/x509v3.h>

#include "adapters/certificates/openssl.h"

namespace hikae::adapters {
namespace {

// The CA's certificate is the same wherever it is derived, so nothing in it may depend on when.
constexpr Instant kCaBegin(1'767'225'600'000'000);  // 2026
constexpr Instant kCaEnd(4'922'899'200'000'000);    // 2126
// Clocks differ: a certificate is good a little before it was made.
constexpr Duration kBackdated = std::chrono::minutes(5);
constexpr int kSerialBits = 127;
constexpr char kCurve[] = "prime256v1";
constexpr std::size_t kLongestName = 64;

enum class Kind { kCa, kServer, kAgent };

bool set_time(ASN1_TIME* time, Instant at) {
  return ASN1_TIME_set(time, std::time_t(at.seconds())) != nullptr;
}

bool set_serial(X509* certificate, Kind kind) {
  if (kind == Kind::kCa) {
    return ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1;
  }
  const BigNumber number(BN_new());
  return BN_rand(number.get(), kSerialBits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_name(X509_NAME* name, const std::string& text) {
  return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(text.data()),
                                    int(text.size()), -1, 0) == 1;
}

bool add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool add_extensions(X509* certificate, X509* issuer, Kind kind, const std::string& alternatives) {
  const auto add = [&](int nid, const char* value) {
    return add_extension(certificate, issuer, nid, value);
  };
  if (kind == Kind::kCa) {
    return add(NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
           add(NID_key_usage, "critical,keyCertSign") && add(NID_subject_key_identifier, "hash");
  }
  const bool named = alternatives.empty() || add(NID_subject_alt_name, alternatives.c_str());
  return named && add(NID_basic_constraints, "critical,CA:FALSE") &&
         add(NID_key_usage, "critical,digitalSignature") &&
         add(NID_ext_key_usage,
             kind == Kind::kServer ? "critical,serverAuth" : "critical,clientAuth") &&
         add(NID_subject_key_identifier, "hash") && add(NID_authority_key_identifier, "keyid");
}

// What a new certificate says; the issuer of a CA is itself.
struct Draft {
  Kind kind;
  std::string name;
  EVP_PKEY* key;
  Instant not_before;
  Instant not_after;
  std::string alternatives;  // of the name, as OpenSSL writes them; empty: none
};

Result<Certificate> sign(const Draft& draft, X509* issuer, EVP_PKEY* issuer_key) {
  Certificate made(X509_new());
  X509* certificate = made.get();
  X509* issued_by = issuer == nullptr ? certificate : issuer;
  const bool good = certificate != nullptr && X509_set_version(certificate, X509_VERSION_3) == 1 &&
                    set_serial(certificate, draft.kind) &&
                    set_time(X509_getm_notBefore(certificate), draft.not_before) &&
                    set_time(X509_getm_notAfter(certificate), draft.not_after) &&
                    set_name(X509_get_subject_name(certificate), draft.name) &&
                    X509_set_issuer_name(certificate, X509_get_subject_name(issued_by)) == 1 &&
                    X509_set_pubkey(certificate, draft.key) == 1 &&
                    add_extensions(certificate, issued_by, draft.kind, draft.alternatives) &&
                    X509_sign(certificate, issuer_key, nullptr) > 0;  // Ed25519
  if (!good) {
    return net::openssl_failure(ErrorCode::kInternal, "no certificate can be made");
  }
  return made;
}

bool is_accepted_kind(EVP_PKEY* key) {
  char group[64] = {};
  std::size_t size = 0;
  return key != nullptr && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
         EVP_PKEY_get_group_name(key, group, sizeof group, &size) == 1 &&
         std::string_view(group, size) == kCurve;
}

// The request's key, which its sender has proved to hold.
Result<EVP_PKEY*> proven_key(const Request& request) {
  EVP_PKEY* key = request == nullptr ? nullptr : X509_REQ_get0_pubkey(request.get());
  if (!is_accepted_kind(key)) {
    return fail(ErrorCode::kInvalid, "not a request for a certificate with a key of EC P-256");
  }
  if (X509_REQ_verify(request.get(), key) != 1) {
    return net::openssl_failure(ErrorCode::kInvalid, "the request is not signed with its own key");
  }
  return key;
}

}  // namespace

struct CertificateAuthority::Impl {
  std::string text;  // of the certificate
  std::string fingerprint;
  Key key;
  Certificate certificate;
};

CertificateAuthority::CertificateAuthority(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CertificateAuthority::~CertificateAuthority() = default;
CertificateAuthority::CertificateAuthority(CertificateAuthority&&) noexcept = default;
CertificateAuthority& CertificateAuthority::operator=(CertificateAuthority&&) noexcept = default;

Result<CertificateAuthority> CertificateAuthority::derive(const std::string& name,
                                                          std::string_view seed) {
  auto impl = std::make_unique<Impl>();
  if (seed.size() == kSeedBytes) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(seed.data());
    impl->key.reset(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes, seed.size()));
  }
  if (impl->key == nullptr) {
    return net::openssl_failure(ErrorCode::kInvalid, "no CA can be derived");
  }
  const Draft draft{Kind::kCa, name, impl->key.get(), kCaBegin, kCaEnd, ""};
  auto certificate = sign(draft, nullptr, impl->key.get());
  if (!certificate) {
    return tl::unexpected(certificate.error());
  }
  auto text = to_pem(*certificate);
  auto fingerprint = net::fingerprint_of(certificate->get());
  if (!text || !fingerprint) {
    return fail(ErrorCode::kInternal, "the CA's certificate cannot be written");
  }
  impl->certificate = std::move(*certificate);
  impl->text = std::move(*text);
  impl->fingerprint = std::move(*fingerprint);
  return CertificateAuthority(std::move(impl));
}

const std::string& CertificateAuthority::certificate() const {
  return impl_->text;
}

const std::string& CertificateAuthority::fingerprint() const {
  return impl_->fingerprint;
}

Result<std::string> CertificateAuthority::identity_of_request(const std::string& pem) const {
  const Request request = read_request(pem);
  const auto key = proven_key(request);
  return key ? net::identity_of(*key) : Result<std::string>(tl::unexpected(key.error()));
}

Result<std::string> CertificateAuthority::sign_agent(const std::string& pem,
                                                     const std::string& host, Instant now,
                                                     Duration lifetime) const {
  const Request request = read_request(pem);
  const auto key = proven_key(request);
  if (!key) {
    return tl::unexpected(key.error());
  }
  const Draft draft{Kind::kAgent, host, *key, now - kBackdated, now + lifetime, ""};
  const auto certificate = sign(draft, impl_->certificate.get(), impl_->key.get());
  return certificate ? to_pem(*certificate)
                     : Result<std::string>(tl::unexpected(certificate.error()));
}

Result<ServerCertificate> CertificateAuthority::make_server(Instant now, Duration lifetime) const {
  return make_with_key("hikae server", "", now, lifetime);
}

Result<ServerCertificate> CertificateAuthority::make_named(const std::string& dns_name,
                                                           const std::vector<std::string>& aliases,
                                                           Ipv4 address, Instant now,
                                                           Duration lifetime) const {
  std::string alternatives = fmt::format("DNS:{},IP:{}", dns_name, address.str());
  for (const std::string& alias : aliases) {
    alternatives += ",DNS:" + alias;
  }
  // A common name holds at most 64 characters; clients look at the others alone.
  return make_with_key(dns_name.size() <= kLongestName ? dns_name : "hikae node", alternatives, now,
                       lifetime);
}

Result<ServerCertificate> CertificateAuthority::make_with_key(const std::string& name,
                                                              const std::string& alternatives,
                                                              Instant now,
                                                              Duration lifetime) const {
  const auto key = new_key();
  if (!key) {
    return tl::unexpected(key.error());
  }
  const Draft draft{Kind::kServer,    name,           key->get(),
                    now - kBackdated, now + lifetime, alternatives};
  const auto certificate = sign(draft, impl_->certificate.get(), impl_->key.get());
  if (!certificate) {
    return tl::unexpected(certificate.error());
  }
  auto key_text = to_pem(*key);
  auto chain = to_pem(*certificate);
  if (!key_text || !chain) {
    return fail(ErrorCode::kInternal, "a server's certificate cannot be written");
  }
  return ServerCertificate{std::move(*key_text), std::move(*chain) + impl_->text};
}

}  // namespace hikae::adapters
