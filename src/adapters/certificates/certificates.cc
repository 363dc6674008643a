#include "adapters/certificates/certificates.h"

#include <ctime>
#include <vector>

#include <openssl/asn1.h>
#include <openssl/pem.h>

#include "adapters/certificates/openssl.h"

namespace hikae::adapters {
namespace {

Result<Instant> instant_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) {
    return openssl_failure(ErrorCode::kInvalid, "the certificate has no time that can be read");
  }
  return Instant(std::int64_t(::timegm(&parts)) * 1'000'000);
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

}  // namespace

Result<std::string> make_key() {
  auto key = new_key();
  return key ? to_pem(*key) : Result<std::string>(tl::unexpected(key.error()));
}

Result<std::string> make_certificate_request(const std::string& pem) {
  const Key key = read_key(pem);
  const Request request(X509_REQ_new());
  const Bio bio(BIO_new(BIO_s_mem()));
  const bool made = key != nullptr &&
                    X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1 &&
                    X509_REQ_set_pubkey(request.get(), key.get()) == 1 &&
                    X509_REQ_sign(request.get(), key.get(), EVP_sha256()) > 0 &&
                    PEM_write_bio_X509_REQ(bio.get(), request.get()) == 1;
  if (!made) {
    return openssl_failure(ErrorCode::kInvalid, "no certificate can be asked for with this key");
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, std::size_t(size));
}

Result<std::string> identity_of_key(const std::string& pem) {
  const Key key = read_key(pem);
  if (key == nullptr) {
    return fail(ErrorCode::kInvalid, "not a private key");
  }
  return identity_of(key.get());
}

Result<CertificateFacts> read_certificate(const std::string& pem) {
  const Certificate certificate = read_x509(pem);
  EVP_PKEY* key = certificate == nullptr ? nullptr : X509_get0_pubkey(certificate.get());
  if (key == nullptr) {
    return fail(ErrorCode::kInvalid, "not a certificate");
  }
  auto identity = identity_of(key);
  auto fingerprint = fingerprint_of(certificate.get());
  const auto not_before = instant_of(X509_get0_notBefore(certificate.get()));
  const auto not_after = instant_of(X509_get0_notAfter(certificate.get()));
  if (!identity || !fingerprint || !not_before || !not_after) {
    return fail(ErrorCode::kInvalid, "a damaged certificate");
  }
  return CertificateFacts{common_name(certificate.get()), std::move(*identity),
                          std::move(*fingerprint), *not_before, *not_after};
}

}  // namespace hikae::adapters
