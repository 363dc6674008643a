#pragma once

#include <memory>
#include <string>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "net/x509.h"

// OpenSSL's objects with an owner, for the files of this folder.

namespace hikae::adapters {

template <auto Free>
struct Freeing {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freeing<X509_free>>;
using Request = std::unique_ptr<X509_REQ, Freeing<X509_REQ_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freeing<X509_EXTENSION_free>>;
using BigNumber = std::unique_ptr<BIGNUM, Freeing<BN_free>>;
using Bio = std::unique_ptr<BIO, Freeing<BIO_free>>;

// nullptr: the text is none.
Key read_key(const std::string& pem);
Certificate read_x509(const std::string& pem);
Request read_request(const std::string& pem);

Result<Key> new_key();
Result<std::string> to_pem(const Key& key);
Result<std::string> to_pem(const Certificate& certificate);

}  // namespace hikae::adapters
