#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace beaconry {

// minisign's files (https://jedisct1.github.io/minisign/): Ed25519, prehashed by BLAKE2b-512.
struct MinisignPublicKey {
  std::string id;     // 16 hex digits, as minisign prints it
  std::string key;    // 32 bytes
  std::string where;  // the file
};
Result<MinisignPublicKey> parse_public_key(std::string_view text, const std::string& where);
Result<std::vector<MinisignPublicKey>> read_public_keys(const std::string& folder);  // *.pub
// The key that signed the file. Errors say which key would be needed.
Result<MinisignPublicKey> verify_file(const std::string& file, std::string_view signature,
                                      const std::vector<MinisignPublicKey>& keys);
// The id of the key that a signature says it is of, without that key: nothing is verified but its
// form.
Result<std::string> signer_of(std::string_view signature);
// What a signature that verify_file() took says of its file, as minisign writes it: parts with tabs
// between them. Nothing where they are not there.
struct MinisignComment {
  std::string file;             // file:NAME
  std::uint64_t timestamp = 0;  // timestamp:SECONDS
};
MinisignComment read_comment(std::string_view signature);
struct MinisignKeyPair {
  std::string public_text, secret_text;  // the files' contents; the secret without a password
};
MinisignKeyPair make_key_pair(std::string_view comment);
Result<std::string> sign_file(const std::string& file, std::string_view secret_text,
                              std::string_view trusted_comment);

}  // namespace beaconry
