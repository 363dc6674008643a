#include "adapters/certificates/openssl.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>

namespace hikae::adapters {
namespace {

Bio reading(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), int(text.size())));
}

std::string written(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, std::size_t(size));
}

// No question for a password ever reaches the terminal.
int no_password(char*, int, int, void*) {
  return 0;
}

}  // namespace

Key read_key(const std::string& pem) {
  Key key(PEM_read_bio_PrivateKey(reading(pem).get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  return key;
}

Certificate read_x509(const std::string& pem) {
  Certificate certificate(PEM_read_bio_X509(reading(pem).get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  return certificate;
}

Request read_request(const std::string& pem) {
  Request request(PEM_read_bio_X509_REQ(reading(pem).get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  return request;
}

Result<Key> new_key() {
  Key key(EVP_EC_gen("P-256"));
  if (key == nullptr) {
    return net::openssl_failure(ErrorCode::kInternal, "no key can be made");
  }
  return key;
}

Result<std::string> to_pem(const Key& key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
      1) {
    return net::openssl_failure(ErrorCode::kInternal, "a key cannot be written");
  }
  return written(bio);
}

Result<std::string> to_pem(const Certificate& certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(bio.get(), certificate.get()) != 1) {
    return net::openssl_failure(ErrorCode::kInternal, "a certificate cannot be written");
  }
  return written(bio);
}

}  // namespace hikae::adapters
