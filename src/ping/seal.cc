#include "ping/seal.h"

#include <sodium.h>

#include <algorithm>
#include <cassert>
#include <cstring>

namespace beaconry {
namespace {

static_assert(crypto_box_NONCEBYTES == std::tuple_size_v<Nonce> && crypto_box_MACBYTES == 16);
constexpr std::size_t kHintBytes = 8;
constexpr std::size_t kHead = kPingMagic.size() + 1;  // magic and length
constexpr std::size_t kNonceEnd = kHead + std::tuple_size_v<Nonce>;

void put_be(std::uint8_t* at, std::uint64_t value, unsigned size) {
  for (unsigned i = 0; i < size; ++i)
    at[i] = static_cast<std::uint8_t>(value >> (8 * (size - 1 - i)));
}

// One keyed hash of a few numbers. The first byte tells the hashes of one key apart.
std::uint64_t keyed_word(const Key32& key, std::uint8_t purpose, std::int64_t when,
                         std::uint32_t what) {
  std::array<std::uint8_t, 13> message{};
  message[0] = purpose;
  put_be(message.data() + 1, static_cast<std::uint64_t>(when), 8);
  put_be(message.data() + 9, what, 4);
  std::array<std::uint8_t, 16> hash{};
  crypto_generichash(hash.data(), hash.size(), message.data(), message.size(), key.data(),
                     key.size());
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < 8; ++i)
    word = word << 8 | hash[i];
  return word;
}

std::int64_t day_of(Timestamp time) {
  return std::chrono::floor<std::chrono::days>(time).time_since_epoch().count();
}

tl::unexpected<Error> malformed(std::string cause) {
  return fail(ErrorKind::malformed, "open", "ping", std::move(cause));
}

}  // namespace

Hint hint_of(const SharedKey& key, std::int64_t day, Leg leg) {
  return keyed_word(key.hint(), 1, day, leg == Leg::reply ? 1 : 0);
}

Bytes seal(const Ping& ping, const SharedKey& key) {
  Bytes plain = encode_ping(ping);
  Bytes sealed(kSealedOverhead + plain.size());
  std::copy(kPingMagic.begin(), kPingMagic.end(), sealed.begin());
  sealed[kPingMagic.size()] = static_cast<std::uint8_t>(sealed.size() - kHead);
  const Timestamp sent = std::clamp(ping.sent, kEarliest, kLatest);
  put_be(sealed.data() + kHead, hint_of(key, day_of(sent), ping.leg), kHintBytes);
  randombytes_buf(sealed.data() + kHead + kHintBytes, kNonceEnd - kHead - kHintBytes);
  crypto_box_easy_afternm(sealed.data() + kNonceEnd, plain.data(), plain.size(),
                          sealed.data() + kHead, key.box().data());
  return sealed;
}

Result<Ping> open_sealed(ByteView sealed, const SharedKey& key) {
  if (!is_sealed_shape(sealed)) return malformed("it has not a sealed ping's shape");
  const ByteView box = sealed.subspan(kNonceEnd);
  std::array<std::uint8_t, kLongestPing> plain;
  const std::size_t size = box.size() - crypto_box_MACBYTES;
  if (crypto_box_open_easy_afternm(plain.data(), box.data(), box.size(), sealed.data() + kHead,
                                   key.box().data()) != 0) {
    return malformed("it was sealed with another key, or changed");
  }
  return decode_ping(ByteView(plain).first(size));
}

Hint hint_in(ByteView sealed) {
  assert(sealed.size() >= kNonceEnd);
  Hint hint = 0;
  for (const std::uint8_t byte : sealed.subspan(kHead, kHintBytes))
    hint = hint << 8 | byte;
  return hint;
}

Nonce nonce_in(ByteView sealed) {
  assert(sealed.size() >= kNonceEnd);
  Nonce nonce;
  std::copy_n(sealed.begin() + kHead, nonce.size(), nonce.begin());
  return nonce;
}

ReplyProof reply_proof(const SharedKey& key, const Nonce& of) {
  ReplyProof proof{};
  crypto_generichash(proof.data(), proof.size(), of.data(), of.size(), key.proof().data(),
                     key.proof().size());
  return proof;
}

bool same_proof(const ReplyProof& a, const ReplyProof& b) {
  return sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

// A token: 24 bits that are the hour's, by which a look-up finds the probe; 14 bits that
// authenticate form and neighbour; and these 10 bits, encrypted under the 14.
namespace {

enum : std::uint8_t { kTokenHint = 2, kTokenTag = 3, kTokenPad = 4 };

std::uint32_t token_tag(const SharedKey& key, std::int64_t hour, std::uint32_t content) {
  return static_cast<std::uint32_t>(keyed_word(key.token(), kTokenTag, hour, content) & 0x3fff);
}

std::uint32_t token_pad(const SharedKey& key, std::int64_t hour, std::uint32_t tag) {
  return static_cast<std::uint32_t>(keyed_word(key.token(), kTokenPad, hour, tag) & 0x3ff);
}

}  // namespace

std::uint32_t token_hint(const SharedKey& key, std::int64_t hour) {
  return static_cast<std::uint32_t>(keyed_word(key.token(), kTokenHint, hour, 0) & 0xffffff);
}

BounceToken bounce_token(const SharedKey& key, std::int64_t hour, BounceForm form,
                         std::uint8_t neighbour) {
  const std::uint32_t content = (static_cast<std::uint32_t>(form) & 3U) << 8 | neighbour;
  const std::uint32_t tag = token_tag(key, hour, content);
  const std::uint32_t rest = tag << 10 | (content ^ token_pad(key, hour, tag));
  return {token_hint(key, hour) << 8 | rest >> 16, static_cast<std::uint16_t>(rest)};
}

std::optional<TokenContent> read_token(const BounceToken& token, const SharedKey& key,
                                       std::int64_t hour) {
  if (hint_in(token) != token_hint(key, hour)) return std::nullopt;
  const std::uint32_t rest = (token.word & 0xff) << 16 | token.half;
  const std::uint32_t tag = rest >> 10;
  const std::uint32_t content = (rest & 0x3ff) ^ token_pad(key, hour, tag);
  if (tag != token_tag(key, hour, content)) return std::nullopt;
  return TokenContent{static_cast<BounceForm>(content >> 8),
                      static_cast<std::uint8_t>(content & 0xff)};
}

}  // namespace beaconry
