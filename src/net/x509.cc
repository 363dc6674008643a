#include "net/x509.h"

#include <array>
#include <cstdint>
#include <ctime>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/err.h>
#include <openssl/sha.h>

namespace hikae::net {
namespace {

Result<Instant> instant_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) {
    return openssl_failure(ErrorCode::kInvalid, "the certificate has no time that can be read");
  }
  return Instant(std::int64_t(::timegm(&parts)) * 1'000'000);
}

// SHA-256 of what `encode` writes, hexadecimal.
template <class Encode, class Object>
Result<std::string> digest_of(Encode encode, Object* object) {
  unsigned char* der = nullptr;
  const int size = encode(object, &der);
  if (size <= 0) {
    return openssl_failure(ErrorCode::kInvalid, "a key or certificate cannot be encoded");
  }
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(der, std::size_t(size), digest.data());
  OPENSSL_free(der);
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

}  // namespace

Result<CertificateFacts> facts_of(X509* certificate) {
  auto identity = identity_of(X509_get0_pubkey(certificate));
  auto fingerprint = fingerprint_of(certificate);
  const auto not_before = instant_of(X509_get0_notBefore(certificate));
  const auto not_after = instant_of(X509_get0_notAfter(certificate));
  if (!identity || !fingerprint || !not_before || !not_after) {
    return fail(ErrorCode::kInvalid, "a damaged certificate");
  }
  return CertificateFacts{common_name(certificate), std::move(*identity), std::move(*fingerprint),
                          *not_before, *not_after};
}

std::string common_name(const X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) {
    return "";
  }
  unsigned char* text = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  if (size < 0) {
    return "";
  }
  std::string name(reinterpret_cast<const char*>(text), std::size_t(size));
  OPENSSL_free(text);
  return name;
}

Result<std::string> identity_of(EVP_PKEY* key) {
  return digest_of(i2d_PUBKEY, key);
}

Result<std::string> fingerprint_of(X509* certificate) {
  return digest_of(i2d_X509, certificate);
}

tl::unexpected<Error> openssl_failure(ErrorCode code, std::string_view what) {
  const unsigned long reason = ERR_get_error();
  ERR_clear_error();
  const char* text = reason == 0 ? nullptr : ERR_reason_error_string(reason);
  return fail(code, fmt::format("{}: {}", what, text == nullptr ? "no reason known" : text));
}

}  // namespace hikae::net
