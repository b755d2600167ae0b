// Public keys and signatures that somebody wrote: bytes before a NUL are the key's file, the others
// the signature's.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "image/minisign.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view key_text = text.substr(0, text.find('\0'));
  const std::string_view signature = text.substr(std::min(text.size(), key_text.size() + 1));
  std::vector<MinisignPublicKey> keys;
  if (auto key = parse_public_key(key_text, "fuzz.pub")) keys.push_back(std::move(*key));
  (void)verify_file("/dev/null", signature, keys);
  (void)signer_of(signature);
  (void)sign_file("/dev/null", key_text, "fuzz");
  return 0;
}
