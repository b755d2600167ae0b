#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "config/signed_document.h"

// As a sensor hears it from a stranger; and, rightly signed, from a server that was taken over.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const beaconry::DocumentKey key = beaconry::DocumentKey::make();
  static const std::string open = key.public_hex();
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  if (beaconry::check_signed_document(bytes, open, "s", 0).document) std::abort();
  (void)beaconry::DocumentKey::parse(bytes);
  const auto message = key.sign({"s", 1, {}, bytes});
  if (message && !beaconry::check_signed_document(*message, open, "s", 1).document) std::abort();
  return 0;
}
