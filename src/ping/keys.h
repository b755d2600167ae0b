#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "packet/found_name.h"
#include "ping/ping.h"

namespace beaconry {

using Key32 = std::array<std::uint8_t, 32>;
std::string to_hex(ByteView bytes);
Result<Key32> parse_key(std::string_view hex);  // 64 hex digits

// What one seed of 32 random bytes derives: a box pair (X25519) for pings and a signing pair
// (Ed25519) for evidence. Probes and homes have one each. Wiped when it goes.
class PartyKeys {
 public:
  static Key32 make_seed();
  explicit PartyKeys(const Key32& seed);
  ~PartyKeys();
  PartyKeys(const PartyKeys&) = default;
  PartyKeys& operator=(const PartyKeys&) = default;

  const Key32& box_public() const { return box_public_; }
  const Key32& box_secret() const { return box_secret_; }
  const Key32& sign_public() const { return sign_public_; }
  std::array<std::uint8_t, 64> sign(ByteView message) const;
  ProbeId id() const;

 private:
  Key32 box_public_{}, box_secret_{}, sign_public_{};
  std::array<std::uint8_t, 64> sign_secret_{};
};
ProbeId probe_id(const Key32& box_public);
bool verify_signature(const Key32& sign_public, ByteView message,
                      const std::array<std::uint8_t, 64>& signature);

// What two parties share: computed once (35 µs), so that a ping costs under 1 µs.
class SharedKey {
 public:
  // Ours with theirs gives the same as theirs with ours. Refuses weak keys.
  static Result<SharedKey> make(const PartyKeys& ours, const Key32& their_box_public);
  ~SharedKey();
  SharedKey(const SharedKey&) = default;
  SharedKey& operator=(const SharedKey&) = default;

  const Key32& box() const { return box_; }
  const Key32& hint() const { return hint_; }    // rotating hints of the sender
  const Key32& token() const { return token_; }  // short tokens of bounces
  const Key32& proof() const { return proof_; }  // short answers

 private:
  SharedKey() = default;
  Key32 box_{}, hint_{}, token_{}, proof_{};
};

}  // namespace beaconry
