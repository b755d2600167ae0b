// A ping as it is read, and a sealed one as it is opened: as it comes, and with the input as the
// plaintext inside a good seal, which random bytes would never get through.
#include <sodium.h>

#include <cstdint>
#include <cstdlib>

#include "ping/key_ring.h"

namespace beaconry {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

PartyKeys party(std::uint8_t number) {
  Key32 seed{};
  seed.fill(number);
  return PartyKeys(seed);
}

Bytes seal_plain(ByteView plain, const SharedKey& key) {
  const Bytes whole = seal(Ping{}, key);  // for magic and nonce
  Bytes sealed(whole.begin(), whole.begin() + 29);
  sealed[4] = static_cast<std::uint8_t>(40 + plain.size());
  sealed.resize(45 + plain.size());
  crypto_box_easy_afternm(sealed.data() + 29, plain.data(), plain.size(), sealed.data() + 5,
                          key.box().data());
  return sealed;
}

}  // namespace
}  // namespace beaconry

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  static const PartyKeys home = party(0), probe = party(1);
  static const SharedKey key = *SharedKey::make(probe, home.box_public());
  static KeyRing ring =
      *KeyRing::make(home, {{probe.id(), "probe", probe.box_public(), probe.sign_public()}});
  const ByteView bytes(data, size);
  require(!open_sealed(bytes, key).has_value());
  require(!ring.open(bytes, kEarliest).has_value());
  const auto ping = decode_ping(bytes);
  if (ping) require(*decode_ping(encode_ping(*ping)) == *ping);
  if (size > kLongestPing) return 0;
  const auto opened = open_sealed(seal_plain(bytes, key), key);
  require(opened.has_value() == ping.has_value() && (!opened || *opened == *ping));
  return 0;
}
