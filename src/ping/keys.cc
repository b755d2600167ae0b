#include "ping/keys.h"

#include <sodium.h>

#include <algorithm>
#include <cstdlib>

namespace beaconry {
namespace {

static_assert(crypto_box_SEEDBYTES == 32 && crypto_box_PUBLICKEYBYTES == 32 &&
              crypto_box_SECRETKEYBYTES == 32 && crypto_box_BEFORENMBYTES == 32 &&
              crypto_sign_SEEDBYTES == 32 && crypto_sign_PUBLICKEYBYTES == 32 &&
              crypto_sign_SECRETKEYBYTES == 64 && crypto_sign_BYTES == 64);

// Everything else of libsodium is only sure after this. It fails where there is no source of
// randomness: no key may then be made.
void start_sodium() {
  static const bool started = sodium_init() >= 0;
  if (!started) std::abort();
}

// Keys for different purposes from one: BLAKE2b keyed with it, of the purpose's name.
Key32 derive(const Key32& key, std::string_view purpose) {
  Key32 out;
  const ByteView text = as_bytes(purpose);
  crypto_generichash(out.data(), out.size(), text.data(), text.size(), key.data(), key.size());
  return out;
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string to_hex(ByteView bytes) {
  std::string text(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), bytes.data(), bytes.size());
  text.pop_back();
  return text;
}

Result<Key32> parse_key(std::string_view hex) {
  Key32 key{};
  bool good = hex.size() == key.size() * 2;
  for (std::size_t i = 0; good && i < key.size(); ++i) {
    const int high = digit_of(hex[2 * i]), low = digit_of(hex[2 * i + 1]);
    good = high >= 0 && low >= 0;
    if (good) key[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  // The text stays out of the message: it may be a secret.
  if (!good) return fail(ErrorKind::malformed, "read", "key", "it is not 64 hex digits");
  return key;
}

Key32 PartyKeys::make_seed() {
  start_sodium();
  Key32 seed;
  randombytes_buf(seed.data(), seed.size());
  return seed;
}

PartyKeys::PartyKeys(const Key32& seed) {
  start_sodium();
  Key32 box_seed = derive(seed, "beaconry box seed 1");
  Key32 sign_seed = derive(seed, "beaconry sign seed 1");
  crypto_box_seed_keypair(box_public_.data(), box_secret_.data(), box_seed.data());
  crypto_sign_seed_keypair(sign_public_.data(), sign_secret_.data(), sign_seed.data());
  sodium_memzero(box_seed.data(), box_seed.size());
  sodium_memzero(sign_seed.data(), sign_seed.size());
}

PartyKeys::~PartyKeys() {
  sodium_memzero(box_secret_.data(), box_secret_.size());
  sodium_memzero(sign_secret_.data(), sign_secret_.size());
}

std::array<std::uint8_t, 64> PartyKeys::sign(ByteView message) const {
  std::array<std::uint8_t, 64> signature{};
  crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(),
                       sign_secret_.data());
  return signature;
}

ProbeId PartyKeys::id() const {
  return probe_id(box_public_);
}

ProbeId probe_id(const Key32& box_public) {
  std::array<std::uint8_t, 16> hash{};  // the least that BLAKE2b gives here
  crypto_generichash(hash.data(), hash.size(), box_public.data(), box_public.size(), nullptr, 0);
  ProbeId id;
  for (std::size_t i = 0; i < 8; ++i)
    id.value = id.value << 8 | hash[i];
  return id;
}

bool verify_signature(const Key32& sign_public, ByteView message,
                      const std::array<std::uint8_t, 64>& signature) {
  start_sodium();
  return crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                     sign_public.data()) == 0;
}

Result<SharedKey> SharedKey::make(const PartyKeys& ours, const Key32& their_box_public) {
  SharedKey key;
  if (crypto_box_beforenm(key.box_.data(), their_box_public.data(), ours.box_secret().data()) !=
      0) {
    return fail(ErrorKind::malformed, "use", "public key " + to_hex(their_box_public),
                "it is weak: what it shares with any key is known to everybody");
  }
  key.hint_ = derive(key.box_, "beaconry hint 1");
  key.token_ = derive(key.box_, "beaconry token 1");
  key.proof_ = derive(key.box_, "beaconry proof 1");
  return key;
}

SharedKey::~SharedKey() {
  for (Key32* key : {&box_, &hint_, &token_, &proof_})
    sodium_memzero(key->data(), key->size());
}

}  // namespace beaconry
