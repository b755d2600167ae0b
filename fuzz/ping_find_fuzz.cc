// Whatever arrives, searched for a ping; and tokens of any value.
#include <algorithm>
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

}  // namespace
}  // namespace beaconry

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  static const PartyKeys home = party(0), probe = party(1);
  static KeyRing ring =
      *KeyRing::make(home, {{probe.id(), "probe", probe.box_public(), probe.sign_public()}});
  const ByteView bytes(data, size);
  if (const auto found = find_ping(bytes)) {
    require(is_sealed_shape(found->sealed) && found->sealed.size() <= kLongestSealed);
    const auto again = find_ping(found->sealed);
    require(again && !again->as_text && again->sealed == found->sealed);
    const auto text = find_ping(as_bytes(ping_text(found->sealed)));
    require(text && text->as_text && text->sealed == found->sealed);
    require(hint_in(found->sealed) >> 56 == nonce_in(found->sealed)[0]);
    if (const auto name = ping_name(found->sealed, "zone.example")) require(name->size() <= 253);
    require(!ring.open(found->sealed, kEarliest).has_value());
  }
  ByteCursor cursor(bytes);
  const std::uint32_t word = cursor.u32();
  (void)ring.find_token({word, cursor.u16()}, kEarliest);
  return 0;
}
