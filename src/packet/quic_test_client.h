#pragma once
// A QUIC client's sealing of Initial packets, for tests: RFC 9001 §5 the other way about.
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

#include "packet/test_messages.h"

namespace beaconry::test_messages {

struct QuicClient {
  bool version2 = false;
  Bytes connection_id = from_hex("0011223344556677");

  static Bytes hmac(const Bytes& key, const Bytes& data) {
    Bytes out(32);
    unsigned size = 32;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data.data(), data.size(),
         out.data(), &size);
    return out;
  }

  static Bytes expand(const Bytes& secret, std::string_view label, std::size_t size) {
    Bytes info;
    put(info, size, 2);
    put(info, label.size() + 6, 1);
    put(info, "tls13 ");
    put(info, label);
    put(info, 0x0001, 2);
    Bytes out = hmac(secret, info);
    out.resize(size);
    return out;
  }

  static Bytes cipher(const EVP_CIPHER* kind, const Bytes& key, const std::uint8_t* iv,
                      const Bytes& additional, const Bytes& plain) {
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
    Bytes out(plain.size() + 32);
    int size = 0, more = 0;
    EVP_EncryptInit_ex(context, kind, nullptr, key.data(), iv);
    EVP_CIPHER_CTX_set_padding(context, 0);
    if (iv != nullptr) {
      EVP_EncryptUpdate(context, nullptr, &size, additional.data(),
                        static_cast<int>(additional.size()));
    }
    EVP_EncryptUpdate(context, out.data(), &size, plain.data(), static_cast<int>(plain.size()));
    EVP_EncryptFinal_ex(context, out.data() + size, &more);
    out.resize(static_cast<std::size_t>(size));
    if (iv != nullptr) {
      Bytes tag(16);
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, tag.data());
      out.insert(out.end(), tag.begin(), tag.end());
    }
    EVP_CIPHER_CTX_free(context);
    return out;
  }

  // A CRYPTO frame with `message`'s bytes [from, to).
  static Bytes crypto_frame(const Bytes& message, std::size_t from, std::size_t to) {
    Bytes frame;
    put(frame, 6, 1);
    put(frame, 0x4000U | from, 2);
    put(frame, 0x4000U | (to - from), 2);
    frame.insert(frame.end(), message.begin() + static_cast<std::ptrdiff_t>(from),
                 message.begin() + static_cast<std::ptrdiff_t>(to));
    return frame;
  }

  Bytes seal(std::uint64_t number, Bytes frames, std::size_t padded = 1162) const {
    frames.resize(std::max(frames.size(), padded));
    const Bytes salt = from_hex(version2 ? "0dede3def700a6db819381be6e269dcbf9bd2ed9"
                                         : "38762cf7f55934b34d179ae6a4c80cadccbb7f0a");
    const Bytes secret = expand(hmac(salt, connection_id), "client in", 32);
    const std::string prefix = version2 ? "quicv2 " : "quic ";
    const Bytes key = expand(secret, prefix + "key", 16);
    Bytes iv = expand(secret, prefix + "iv", 12);
    const Bytes header_key = expand(secret, prefix + "hp", 16);

    Bytes packet;
    put(packet, version2 ? 0xd3 : 0xc3, 1);  // packet number of 4 bytes
    put(packet, version2 ? 0x6b3343cf : 1, 4);
    put(packet, connection_id.size(), 1);
    packet.insert(packet.end(), connection_id.begin(), connection_id.end());
    put(packet, 0, 2);  // no id of its own, no token
    put(packet, 0x4000U | (frames.size() + 4 + 16), 2);
    const std::size_t number_at = packet.size();
    put(packet, number, 4);
    for (std::size_t i = 0; i < 4; ++i) {
      iv[8 + i] = static_cast<std::uint8_t>(iv[8 + i] ^ packet[number_at + i]);
    }
    const Bytes sealed = cipher(EVP_aes_128_gcm(), key, iv.data(), packet, frames);
    const Bytes sample(sealed.begin(), sealed.begin() + 16);
    const Bytes mask = cipher(EVP_aes_128_ecb(), header_key, nullptr, {}, sample);
    packet[0] = static_cast<std::uint8_t>(packet[0] ^ (mask[0] & 15));
    for (std::size_t i = 0; i < 4; ++i) {
      packet[number_at + i] = static_cast<std::uint8_t>(packet[number_at + i] ^ mask[1 + i]);
    }
    packet.insert(packet.end(), sealed.begin(), sealed.end());
    return packet;
  }
};

}  // namespace beaconry::test_messages
