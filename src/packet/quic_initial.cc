#include "packet/quic_initial.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "packet/tls_client_hello.h"

namespace beaconry {
namespace {

constexpr std::uint32_t kVersion1 = 1;
constexpr std::uint32_t kVersion2 = 0x6b3343cf;
constexpr std::size_t kTag = 16;
constexpr std::size_t kLongestDatagram = 65'535;

// RFC 9001 §5.2 and RFC 9369 §3.3.1
constexpr std::uint8_t kSalt1[20] = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
                                     0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};
constexpr std::uint8_t kSalt2[20] = {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
                                     0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9};

struct CipherFree {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, CipherFree>;

// The program's behaviour must not depend on this machine's openssl.cnf, and a static program
// could not load the modules that it may name.
bool start_crypto() {
  static const bool started = OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr) == 1;
  return started;
}

std::uint8_t initial_type(std::uint32_t version) {
  return version == kVersion2 ? 0x10 : 0x00;
}

// Variable-length integer, RFC 9000 §16.
std::uint64_t varint(ByteCursor& cursor) {
  const std::uint8_t first = cursor.u8();
  std::uint64_t value = first & 0x3f;
  for (int more = (1 << (first >> 6)) - 1; more > 0; --more)
    value = value << 8 | cursor.u8();
  return value;
}

ByteView take(ByteCursor& cursor, std::uint64_t count) {
  return cursor.take(static_cast<std::size_t>(std::min<std::uint64_t>(count, SIZE_MAX)));
}

// HKDF-Expand-Label of RFC 8446 §7.1 with an empty context, for at most 32 bytes: one HMAC round.
bool expand_label(ByteView secret, std::string_view label, std::span<std::uint8_t> out) {
  std::uint8_t info[64];
  std::size_t size = 0;
  const auto add = [&](std::uint8_t byte) { info[size++] = byte; };
  constexpr std::string_view kPrefix = "tls13 ";
  add(0);
  add(static_cast<std::uint8_t>(out.size()));
  add(static_cast<std::uint8_t>(kPrefix.size() + label.size()));
  for (const auto part : {kPrefix, label}) {
    for (const char c : part)
      add(static_cast<std::uint8_t>(c));
  }
  add(0);  // the context's length
  add(1);  // the round
  std::uint8_t digest[32];
  unsigned digest_size = sizeof digest;
  if (HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), info, size, digest,
           &digest_size) == nullptr) {
    return false;
  }
  std::copy_n(digest, out.size(), out.begin());
  return true;
}

}  // namespace

bool looks_like_quic_initial(ByteView datagram) {
  if (datagram.size() < 5 || (datagram[0] & 0xc0) != 0xc0) return false;
  ByteCursor cursor(datagram.subspan(1));
  const std::uint32_t version = cursor.u32();
  return (version == kVersion1 || version == kVersion2) &&
         (datagram[0] & 0x30) == initial_type(version);
}

bool QuicInitialReader::read_header(ByteView datagram, Header& header) {
  if (!looks_like_quic_initial(datagram) || datagram.size() > kLongestDatagram) return false;
  ByteCursor cursor(datagram.subspan(1));
  header.version = cursor.u32();
  const std::uint8_t id_length = cursor.u8();
  if (id_length > 20) return false;
  header.connection_id = cursor.take(id_length);
  const std::uint8_t own_id_length = cursor.u8();
  if (own_id_length > 20) return false;
  cursor.take(own_id_length);
  take(cursor, varint(cursor));  // token
  const std::uint64_t length = varint(cursor);
  // 20: the packet number may take 4 bytes, and the sample of 16 stands behind those.
  if (!cursor.ok() || length < 20 || length > cursor.left()) return false;
  header.number_at = datagram.size() - cursor.left();
  header.end = header.number_at + static_cast<std::size_t>(length);
  return true;
}

bool QuicInitialReader::derive(std::uint32_t version, ByteView connection_id, Keys& keys) {
  if (!start_crypto()) return false;
  const bool second = version == kVersion2;
  std::uint8_t initial[32], client[32];
  unsigned size = sizeof initial;
  if (HMAC(EVP_sha256(), second ? kSalt2 : kSalt1, sizeof kSalt1, connection_id.data(),
           connection_id.size(), initial, &size) == nullptr) {
    return false;
  }
  return expand_label(initial, "client in", client) &&
         expand_label(client, second ? "quicv2 key" : "quic key", keys.packet) &&
         expand_label(client, second ? "quicv2 iv" : "quic iv", keys.iv) &&
         expand_label(client, second ? "quicv2 hp" : "quic hp", keys.header);
}

bool QuicInitialReader::decrypt(ByteView datagram, const Header& header, const Keys& keys) {
  const CipherContext context(EVP_CIPHER_CTX_new());
  if (!context) return false;

  // Header protection, RFC 9001 §5.4
  std::uint8_t mask[16];
  int written = 0;
  if (EVP_EncryptInit_ex(context.get(), EVP_aes_128_ecb(), nullptr, keys.header.data(), nullptr) !=
          1 ||
      EVP_EncryptUpdate(context.get(), mask, &written, datagram.data() + header.number_at + 4,
                        sizeof mask) != 1) {
    return false;
  }
  std::vector<std::uint8_t> clear_header(
      datagram.begin(), datagram.begin() + static_cast<std::ptrdiff_t>(header.number_at + 4));
  clear_header[0] = static_cast<std::uint8_t>(clear_header[0] ^ (mask[0] & 0x0f));
  const std::size_t number_size = (clear_header[0] & 3U) + 1;
  auto nonce = keys.iv;
  for (std::size_t i = 0; i < number_size; ++i) {
    auto& byte = clear_header[header.number_at + i];
    byte = static_cast<std::uint8_t>(byte ^ mask[1 + i]);
    auto& mixed = nonce[nonce.size() - number_size + i];
    mixed = static_cast<std::uint8_t>(mixed ^ byte);
  }
  clear_header.resize(header.number_at + number_size);

  // RFC 9001 §5.3. header.end leaves room for the tag: see read_header().
  const std::size_t begin = header.number_at + number_size;
  const std::size_t size = header.end - begin - kTag;
  plain_.resize(size);
  std::array<std::uint8_t, kTag> tag{};
  std::copy_n(datagram.begin() + static_cast<std::ptrdiff_t>(begin + size), kTag, tag.begin());
  return EVP_CIPHER_CTX_reset(context.get()) == 1 &&
         EVP_DecryptInit_ex(context.get(), EVP_aes_128_gcm(), nullptr, keys.packet.data(),
                            nonce.data()) == 1 &&
         EVP_DecryptUpdate(context.get(), nullptr, &written, clear_header.data(),
                           static_cast<int>(clear_header.size())) == 1 &&
         EVP_DecryptUpdate(context.get(), plain_.data(), &written, datagram.data() + begin,
                           static_cast<int>(size)) == 1 &&
         EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTag, tag.data()) == 1 &&
         EVP_DecryptFinal_ex(context.get(), plain_.data() + size, &written) == 1;
}

// Collects the CRYPTO frames among those that an Initial may carry (RFC 9000 §12.4).
bool QuicInitialReader::read_frames() {
  ByteCursor cursor(plain_);
  while (cursor.ok() && cursor.left() > 0) {
    const std::uint64_t type = varint(cursor);
    if (type == 0x00 || type == 0x01) {         // PADDING, PING
    } else if (type == 0x02 || type == 0x03) {  // ACK
      varint(cursor);
      varint(cursor);
      std::uint64_t ranges = varint(cursor);
      varint(cursor);
      for (; ranges > 0 && cursor.ok(); --ranges) {
        varint(cursor);
        varint(cursor);
      }
      for (int i = 0; type == 0x03 && i < 3; ++i)
        varint(cursor);
    } else if (type == 0x06) {  // CRYPTO
      const std::uint64_t offset = varint(cursor);
      const ByteView data = take(cursor, varint(cursor));
      if (cursor.ok()) hello_.insert(offset, data);
    } else if (type == 0x1c) {  // CONNECTION_CLOSE
      varint(cursor);
      varint(cursor);
      take(cursor, varint(cursor));
    } else {
      return false;
    }
  }
  return cursor.ok();
}

FoundName QuicInitialReader::add(ByteView datagram) {
  bool any = false;
  Header header{};
  // Packets may stand behind one another in a datagram (RFC 9000 §12.2).
  for (; read_header(datagram, header); datagram = datagram.subspan(header.end)) {
    // The keys follow from the first packet's connection id for the whole handshake, except after
    // a Retry, when the client begins again with another.
    bool clear = has_keys_ && decrypt(datagram, header, keys_);
    Keys keys{};
    if (!clear && derive(header.version, header.connection_id, keys) &&
        decrypt(datagram, header, keys)) {
      keys_ = keys;
      has_keys_ = clear = true;
    }
    if (!clear || !read_frames()) continue;
    any = true;
  }
  if (!any) return {NameStatus::other, {}};
  const FoundName found = tls_client_hello_message(hello_.contiguous());
  if (found.status == NameStatus::needs_more && hello_.full()) return {NameStatus::other, {}};
  return found;
}

}  // namespace beaconry
