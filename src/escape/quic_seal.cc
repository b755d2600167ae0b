// Low-level AES is deprecated in OpenSSL 3 in favour of EVP, which costs a static program 4 MB.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "escape/quic_seal.h"

#include <openssl/aes.h>
#include <openssl/modes.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <memory>
#include <string_view>

#include "escape/byte_writer.h"

namespace beaconry {
namespace {

constexpr std::size_t kTag = 16;
using Secret = std::array<std::uint8_t, 32>;

// RFC 9001 §5.2
constexpr std::uint8_t kSalt[20] = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
                                    0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};

Secret hmac(ByteView key, ByteView message) {
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, key.data(), key.size());
  crypto_auth_hmacsha256_update(&state, message.data(), message.size());
  Secret out;
  crypto_auth_hmacsha256_final(&state, out.data());
  return out;
}

// HKDF-Expand-Label of RFC 8446 §7.1 with an empty context, for at most 32 bytes: one round.
Secret expand_label(ByteView secret, std::string_view label, std::uint8_t size) {
  ByteWriter info;
  info.u16(size).u8(6 + label.size()).text("tls13 ").text(label).u8(0).u8(1);
  return hmac(secret, info.view());
}

AES_KEY aes_key(const Secret& bytes) {
  AES_KEY key;
  AES_set_encrypt_key(bytes.data(), 128, &key);
  return key;
}

struct GcmFree {
  void operator()(GCM128_CONTEXT* context) const { CRYPTO_gcm128_release(context); }
};

void encrypt_block(const unsigned char in[16], unsigned char out[16], const void* key) {
  AES_encrypt(in, out, static_cast<const AES_KEY*>(key));
}

// Ciphertext and tag.
Bytes seal_gcm(const Secret& key_bytes, ByteView nonce, ByteView header, ByteView plain) {
  AES_KEY key = aes_key(key_bytes);
  const std::unique_ptr<GCM128_CONTEXT, GcmFree> gcm(CRYPTO_gcm128_new(&key, encrypt_block));
  Bytes out(plain.size() + kTag);
  CRYPTO_gcm128_setiv(gcm.get(), nonce.data(), nonce.size());
  CRYPTO_gcm128_aad(gcm.get(), header.data(), header.size());
  CRYPTO_gcm128_encrypt(gcm.get(), plain.data(), out.data(), plain.size());
  CRYPTO_gcm128_tag(gcm.get(), out.data() + plain.size(), kTag);
  return out;
}

}  // namespace

std::uint16_t quic_varint(std::size_t value) {
  assert(value < 16'384);
  return static_cast<std::uint16_t>(0x4000 | value);
}

Bytes seal_quic_initial(const QuicInitial& initial) {
  assert(initial.destination_id.size() >= 8 && initial.destination_id.size() <= 20);
  ByteWriter frames;
  frames.u8(6).u8(0).u16(quic_varint(initial.hello.size())).bytes(initial.hello);  // CRYPTO
  Bytes plain = frames.take();

  ByteWriter head;
  head.u8(0xc3).u32(1);  // Initial, a packet number of 4 bytes; version 1
  head.counted(1, initial.destination_id).counted(1, initial.source_id);
  head.u16(quic_varint(initial.token.size())).bytes(initial.token);
  const std::size_t overhead = head.size() + 2 + 4 + kTag;
  if (overhead + plain.size() < kQuicDatagram) plain.resize(kQuicDatagram - overhead);  // PADDING
  head.u16(quic_varint(4 + plain.size() + kTag));
  const std::size_t number_at = head.size();
  head.u32(0);

  const Secret secret = expand_label(hmac(kSalt, initial.destination_id), "client in", 32);
  const Secret iv = expand_label(secret, "quic iv", 12);  // packet number 0 leaves it as it is
  Bytes packet = head.take();
  const Bytes sealed =
      seal_gcm(expand_label(secret, "quic key", 16), ByteView(iv).first(12), packet, plain);

  // Header protection, RFC 9001 §5.4: the sample follows the number's four bytes.
  const AES_KEY key = aes_key(expand_label(secret, "quic hp", 16));
  std::uint8_t mask[16];
  AES_encrypt(sealed.data(), mask, &key);
  packet[0] = static_cast<std::uint8_t>(packet[0] ^ (mask[0] & 0x0f));
  for (std::size_t i = 0; i < 4; ++i) {
    packet[number_at + i] = static_cast<std::uint8_t>(packet[number_at + i] ^ mask[1 + i]);
  }
  packet.insert(packet.end(), sealed.begin(), sealed.end());
  return packet;
}

}  // namespace beaconry
