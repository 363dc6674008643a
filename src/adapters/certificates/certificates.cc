#include "adapters/certificates/certificates.h"

#include <ctime>
#include <vector>

#include <openssl/asn1.h>
#include <openssl/pem.h>

#include "adapters/certificates/openssl.h"

namespace hikae::adapters {
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
    return net::openssl_failure(ErrorCode::kInvalid,
                                "no certificate can be asked for with this key");
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
  return net::identity_of(key.get());
}

Result<net::CertificateFacts> read_certificate(const std::string& pem) {
  const Certificate certificate = read_x509(pem);
  if (certificate == nullptr || X509_get0_pubkey(certificate.get()) == nullptr) {
    return fail(ErrorCode::kInvalid, "not a certificate");
  }
  return net::facts_of(certificate.get());
}

}  // namespace hikae::adapters
