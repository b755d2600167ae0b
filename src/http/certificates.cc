#include "http/certificates.h"

#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdlib>
#include <ctime>

#include "base/ip_address.h"
#include "http/pem.h"
#include "http/tls_context.h"

namespace beaconry {
namespace {

constexpr std::chrono::hours kDay{24};
constexpr std::chrono::hours kForWrongClocks{1};

struct Subject {
  std::string common_name;
  std::string alternative_names;  // as OpenSSL writes them: "DNS:a,IP:10.0.0.1"
  bool is_ca = false;
  bool is_client = false;
  std::chrono::hours validity{0};
};

tl::unexpected<Error> no(const char* what) {
  return fail(ErrorKind::io, "make", what, take_openssl_error());
}

bool add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const made = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  if (made == nullptr) return false;
  const int added = X509_add_ext(certificate, made, -1);
  X509_EXTENSION_free(made);
  return added == 1;
}

std::string pem_of(EVP_PKEY* key) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

// Signed by the issuer's key, or by its own where there is none.
Result<CertificateAndKey> make(const Subject& subject, X509* issuer, EVP_PKEY* issuer_key,
                               Timestamp now) {
  const PkeyPtr key(EVP_EC_gen("P-256"));
  const X509Ptr made(X509_new());
  if (!key || !made) return no("certificate");
  X509* const certificate = made.get();
  X509_set_version(certificate, X509_VERSION_3);
  std::array<unsigned char, 16> serial{};
  if (RAND_bytes(serial.data(), static_cast<int>(serial.size())) != 1) return no("serial number");
  serial[0] &= 0x7f;  // positive (RFC 5280 §4.1.2.2)
  serial[0] |= 0x40;
  BIGNUM* const number = BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
  BN_free(number);
  const auto from = std::chrono::floor<std::chrono::seconds>(now - kForWrongClocks);
  ASN1_TIME_set(X509_getm_notBefore(certificate), from.time_since_epoch().count());
  ASN1_TIME_set(
      X509_getm_notAfter(certificate),
      std::chrono::floor<std::chrono::seconds>(now + subject.validity).time_since_epoch().count());
  X509_NAME* const name = X509_get_subject_name(certificate);
  const auto add_name = [&](const char* field, const std::string& value) {
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(value.data()),
                                      static_cast<int>(value.size()), -1, 0) == 1;
  };
  if (!add_name("O", "Beaconry") || !add_name("CN", subject.common_name.substr(0, 64)))
    return no("certificate's name");
  X509_set_issuer_name(certificate, issuer == nullptr ? name : X509_get_subject_name(issuer));
  X509_set_pubkey(certificate, key.get());
  X509* const signer = issuer == nullptr ? certificate : issuer;
  const bool extended =
      add_extension(certificate, signer, NID_basic_constraints,
                    subject.is_ca ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE") &&
      add_extension(certificate, signer, NID_key_usage,
                    subject.is_ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature") &&
      add_extension(certificate, signer, NID_subject_key_identifier, "hash") &&
      (issuer == nullptr ||
       add_extension(certificate, signer, NID_authority_key_identifier, "keyid:always")) &&
      (subject.is_ca ||
       add_extension(certificate, signer, NID_ext_key_usage,
                     subject.is_client ? "clientAuth,serverAuth" : "serverAuth")) &&
      (subject.alternative_names.empty() ||
       add_extension(certificate, signer, NID_subject_alt_name, subject.alternative_names));
  if (!extended) return no("certificate's extensions");
  if (X509_sign(certificate, issuer_key == nullptr ? key.get() : issuer_key, EVP_sha256()) == 0)
    return no("certificate's signature");
  return CertificateAndKey{to_pem(*certificate), pem_of(key.get())};
}

// OpenSSL's text form of names has commas and colons of its own.
bool is_dns_name(const std::string& name) {
  return !name.empty() && name.size() <= 253 &&
         name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._*") ==
             std::string::npos;
}

}  // namespace

Result<CertificateAndKey> make_ca(const std::string& common_name, Timestamp now) {
  return make({common_name, "", true, false, 20 * 365 * kDay}, nullptr, nullptr, now);
}

Result<CertificateAndKey> make_server_certificate(const CertificateAndKey& ca,
                                                  const std::vector<std::string>& names,
                                                  Timestamp now) {
  if (names.empty())
    return fail(ErrorKind::usage, "make", "certificate", "name the server: a name or an address");
  const auto issuer = certificate_of(ca.certificate_pem);
  if (!issuer) return tl::unexpected(issuer.error());
  const auto key = private_key_of(ca.key_pem);
  if (!key) return tl::unexpected(key.error());
  std::string alternatives;
  for (const std::string& name : names) {
    const auto address = IpAddress::parse(name);
    if (!address && !is_dns_name(name))
      return fail(ErrorKind::usage, "make", "certificate",
                  "\"" + name + "\" is neither a DNS name nor an address");
    alternatives += (alternatives.empty() ? "" : ",") +
                    (address ? "IP:" + address->to_string() : "DNS:" + name);
  }
  return make({names.front(), alternatives, false, false, 365 * kDay}, issuer->get(), key->get(),
              now);
}

Result<CertificateAndKey> make_self_signed(const std::string& common_name, Timestamp now) {
  return make({common_name, "", false, true, 20 * 365 * kDay}, nullptr, nullptr, now);
}

Result<Timestamp> expires(const std::string& certificate_pem) {
  const auto certificate = certificate_of(certificate_pem);
  if (!certificate) return tl::unexpected(certificate.error());
  std::tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate->get()), &parts) != 1)
    return fail(ErrorKind::malformed, "read", "certificate", "its end of validity is no time");
  return Timestamp{std::chrono::seconds{::timegm(&parts)}};
}

Result<std::string> certificate_fingerprint(const std::string& certificate_pem) {
  const auto certificate = certificate_of(certificate_pem);
  if (!certificate) return tl::unexpected(certificate.error());
  return fingerprint(**certificate);
}

Result<std::string> key_fingerprint(const std::string& certificate_pem) {
  const auto certificate = certificate_of(certificate_pem);
  if (!certificate) return tl::unexpected(certificate.error());
  return key_fingerprint(**certificate);
}

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return to_hex(digest.data(), size);
}

std::string hmac_sha256_hex(std::string_view key, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data(), &size);
  return to_hex(digest.data(), size);
}

std::string random_hex(std::size_t bytes) {
  std::string out(bytes, '\0');
  auto* const data = reinterpret_cast<unsigned char*>(out.data());
  // Without randomness there are no secrets, and nothing may go on as if there were.
  if (RAND_bytes(data, static_cast<int>(bytes)) != 1) std::abort();
  return to_hex(data, bytes);
}

}  // namespace beaconry
