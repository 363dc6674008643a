#include "codec/text/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/check.h"
#include "codec/text/encoding.h"

namespace hikae::codec {
namespace {

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::string hmac(const EVP_MD* digest, std::string_view key, std::string_view bytes) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  // A null key pointer would mean "the key of the last call" to OpenSSL.
  const char* const key_data = key.empty() ? "" : key.data();
  HIKAE_CHECK(HMAC(digest, key_data, int(key.size()), raw(bytes), bytes.size(), out, &length) !=
              nullptr);
  return std::string(reinterpret_cast<const char*>(out), length);
}

}  // namespace

std::string sha256(std::string_view bytes) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  HIKAE_CHECK(EVP_Digest(bytes.data(), bytes.size(), out, &length, EVP_sha256(), nullptr) == 1);
  return std::string(reinterpret_cast<const char*>(out), length);
}

std::string sha256_hex(std::string_view bytes) {
  return hex_encode(sha256(bytes));
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  return hmac(EVP_sha256(), key, bytes);
}

std::string hmac_sha1(std::string_view key, std::string_view bytes) {
  return hmac(EVP_sha1(), key, bytes);
}

bool constant_time_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace hikae::codec
