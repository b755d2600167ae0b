#include "http/key_signature.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "http/pem.h"
#include "http/tls_context.h"

namespace beaconry {
namespace {

using DigestPtr = std::unique_ptr<EVP_MD_CTX, Releaser<EVP_MD_CTX_free>>;
constexpr std::size_t kLongestKey = 256, kLongestSignature = 256;  // of P-256: 91 and 72

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string der_of(const EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) return {};
  std::string text(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return text;
}

}  // namespace

Result<std::string> sign_with_key(const std::string& key_pem, std::string_view bytes) {
  const auto key = private_key_of(key_pem);
  if (!key) return tl::unexpected(key.error());
  const DigestPtr digest(EVP_MD_CTX_new());
  std::size_t size = 0;
  const auto no = [] { return fail(ErrorKind::io, "sign with", "key", take_openssl_error()); };
  if (!digest ||
      EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, key->get()) != 1 ||
      EVP_DigestSign(digest.get(), nullptr, &size, bytes_of(bytes), bytes.size()) != 1)
    return no();
  std::string signature(size, '\0');
  if (EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     bytes_of(bytes), bytes.size()) != 1)
    return no();
  signature.resize(size);
  return signature;
}

Result<std::string> public_key_of(const std::string& key_pem) {
  const auto key = private_key_of(key_pem);
  if (!key) return tl::unexpected(key.error());
  std::string der = der_of(key->get());
  if (der.empty()) return fail(ErrorKind::io, "read", "key", take_openssl_error());
  return der;
}

bool is_signed_by(std::string_view public_key, std::string_view bytes, std::string_view signature) {
  if (public_key.size() > kLongestKey || signature.size() > kLongestSignature) return false;
  const unsigned char* at = bytes_of(public_key);
  const PkeyPtr key(d2i_PUBKEY(nullptr, &at, static_cast<long>(public_key.size())));
  bool good = false;
  // Whoever goes by a key's bytes must find one form of it only: OpenSSL reads several.
  if (key && der_of(key.get()) == public_key && EVP_PKEY_is_a(key.get(), "EC") == 1 &&
      EVP_PKEY_get_bits(key.get()) == 256) {
    const DigestPtr digest(EVP_MD_CTX_new());
    good = digest &&
           EVP_DigestVerifyInit(digest.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
           EVP_DigestVerify(digest.get(), bytes_of(signature), signature.size(), bytes_of(bytes),
                            bytes.size()) == 1;
  }
  (void)take_openssl_error();  // what is not right is no fault of ours
  return good;
}

}  // namespace beaconry
