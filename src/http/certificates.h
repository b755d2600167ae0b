#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace beaconry {

struct CertificateAndKey {
  std::string certificate_pem;
  std::string key_pem;
};

// ECDSA P-256 throughout. Names are DNS names or addresses; `now` is when validity begins (less an
// hour, for clocks that are off).
Result<CertificateAndKey> make_ca(const std::string& common_name, Timestamp now);  // 20 years
Result<CertificateAndKey> make_server_certificate(const CertificateAndKey& ca,
                                                  const std::vector<std::string>& names,
                                                  Timestamp now);  // one year
Result<CertificateAndKey> make_self_signed(const std::string& common_name, Timestamp now);

Result<Timestamp> expires(const std::string& certificate_pem);
Result<std::string> certificate_fingerprint(const std::string& certificate_pem);  // SHA-256 of DER
Result<std::string> key_fingerprint(const std::string& certificate_pem);  // SHA-256 of its SPKI
std::string sha256_hex(std::string_view bytes);
std::string hmac_sha256_hex(std::string_view key, std::string_view bytes);
std::string random_hex(std::size_t bytes);  // of the system's secure generator

}  // namespace beaconry
