#include "http/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>

#include "base/hex.h"
#include "http/tls_context.h"

namespace beaconry {
namespace {

BioPtr reader_of(const std::string& pem) {
  return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

// Else OpenSSL would ask at the terminal.
int no_password(char*, int, int, void*) {
  return -1;
}

}  // namespace

Result<std::vector<X509Ptr>> certificates_of(const std::string& pem) {
  const BioPtr in = reader_of(pem);
  std::vector<X509Ptr> out;
  while (X509* one = PEM_read_bio_X509(in.get(), nullptr, no_password, nullptr))
    out.emplace_back(one);
  ERR_clear_error();  // the end of the text is reported as an error
  if (out.empty())
    return fail(ErrorKind::malformed, "read", "certificate", "no PEM block CERTIFICATE in it");
  return out;
}

Result<X509Ptr> certificate_of(const std::string& pem) {
  auto all = certificates_of(pem);
  if (!all) return tl::unexpected(all.error());
  return std::move(all->front());
}

Result<PkeyPtr> private_key_of(const std::string& pem) {
  const BioPtr in = reader_of(pem);
  PkeyPtr key(PEM_read_bio_PrivateKey(in.get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  if (!key)
    return fail(ErrorKind::malformed, "read", "private key",
                "no PEM block PRIVATE KEY in it, or one with a password");
  return key;
}

std::string to_pem(X509& certificate) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), &certificate);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string to_hex(const unsigned char* bytes, std::size_t size) {
  return to_hex(std::string_view(reinterpret_cast<const char*>(bytes), size));
}

std::string fingerprint(const X509& certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  X509_digest(&certificate, EVP_sha256(), digest.data(), &size);
  return to_hex(digest.data(), size);
}

std::string key_fingerprint(const X509& certificate) {
  unsigned char* der = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(&certificate), &der);
  if (length <= 0) return {};
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(der, static_cast<std::size_t>(length), digest.data(), &size, EVP_sha256(), nullptr);
  OPENSSL_free(der);
  return to_hex(digest.data(), size);
}

}  // namespace beaconry
