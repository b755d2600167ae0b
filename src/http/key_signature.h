#pragma once
#include <string>
#include <string_view>

#include "base/result.h"

namespace beaconry {

// Bytes signed by the key pair that TLS proves as well (ECDSA on P-256 over SHA-256), for what
// reaches the other side without a connection.

// The signature, DER.
Result<std::string> sign_with_key(const std::string& key_pem, std::string_view bytes);
// The public key that belongs to it (SubjectPublicKeyInfo, DER), whose SHA-256 is its fingerprint.
Result<std::string> public_key_of(const std::string& key_pem);
// A peer's bytes, all three: false for a key of another kind, too.
bool is_signed_by(std::string_view public_key, std::string_view bytes, std::string_view signature);

}  // namespace beaconry
