#pragma once
// OpenSSL's objects as values that free themselves, and their way from and to PEM. Included by .cc
// files only.
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace beaconry {

template <auto release>
struct Releaser {
  template <class T>
  void operator()(T* object) const {
    release(object);
  }
};
using X509Ptr = std::unique_ptr<X509, Releaser<X509_free>>;
using PkeyPtr = std::unique_ptr<EVP_PKEY, Releaser<EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, Releaser<BIO_free>>;

Result<std::vector<X509Ptr>> certificates_of(const std::string& pem);  // at least one
Result<X509Ptr> certificate_of(const std::string& pem);                // the first
Result<PkeyPtr> private_key_of(const std::string& pem);                // never asks for a password
std::string to_pem(X509& certificate);
std::string to_hex(const unsigned char* bytes, std::size_t size);
std::string fingerprint(const X509& certificate);      // SHA-256 of the DER form, hex
std::string key_fingerprint(const X509& certificate);  // SHA-256 of the SubjectPublicKeyInfo, hex

}  // namespace beaconry
