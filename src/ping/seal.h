#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ping/keys.h"
#include "ping/ping.h"

namespace beaconry {

// A sealed ping on the wire: docs/formats/ping.md.
//   magic (4) | length of what follows (1) | nonce (24: hint 8, random 16) | box (16 + plaintext)
// The hint is BLAKE2b(SharedKey::hint, day of sending, direction), so that home need not try every
// key. A ping is found inside anything by its magic.
constexpr std::array<std::uint8_t, 4> kPingMagic{0xb3, 0xac, 0x07, 0x31};
constexpr std::string_view kPingTextMagic = "bcn1";  // whatever its case
constexpr std::size_t kSealedOverhead = 4 + 1 + 24 + 16;
constexpr std::size_t kLongestSealed = kSealedOverhead + kLongestPing;

// Could this byte be the length in a sealed ping?
constexpr bool is_sealed_length(std::uint8_t length) {
  return length >= 24 + 16 + kShortestPing && length <= 24 + 16 + kLongestPing;
}
// Magic, and exactly the length that it says.
bool is_sealed_shape(ByteView sealed);

using Nonce = std::array<std::uint8_t, 24>;
using Hint = std::uint64_t;

// `day` counts since 1970 by the sender's clock; replies have hints of their own.
Hint hint_of(const SharedKey& key, std::int64_t day, Leg leg);
Bytes seal(const Ping& ping, const SharedKey& key);
// ErrorKind::malformed where the bytes are none of this key's, ErrorKind::unsupported for a ping of
// a later version. Both directions share the key: who opens must look at the leg, since anybody can
// send a ping back to where it came from.
Result<Ping> open_sealed(ByteView sealed, const SharedKey& key);

// The first sealed ping in bytes of any kind: binary by its magic, or text (below). Gives its bytes
// in binary form, not authenticated. No allocation where there is none. Bounded work: each magic
// is looked at once.
struct FoundPing {
  Bytes sealed;
  bool as_text = false;
  std::size_t end = 0;  // where what was searched goes on behind it
};
std::optional<FoundPing> find_ping(ByteView bytes);
Hint hint_in(ByteView sealed);  // REQUIRES that find_ping() gave it
Nonce nonce_in(ByteView sealed);

// As text for DNS names, server names, URLs and log lines: "bcn1" and base32 (RFC 4648, lower case,
// no padding) of length and what follows. Case does not matter when read, nor do dots, hyphens or
// the length bytes of DNS labels in between: labels are at most 48 long, so no length byte is a
// base32 digit.
std::string ping_text(ByteView sealed);
constexpr std::size_t kLongestLabel = 48;
// In labels under `zone`; ErrorKind::limit if the name would pass 253 characters.
Result<std::string> ping_name(ByteView sealed, std::string_view zone);

// An answer where a whole ping does not fit (DNS addresses, a TLS random): BLAKE2b-128 of the
// outbound ping's nonce under SharedKey::proof.
using ReplyProof = std::array<std::uint8_t, 16>;
ReplyProof reply_proof(const SharedKey& key, const Nonce& of);
bool same_proof(const ReplyProof& a, const ReplyProof& b);  // in a time that tells nothing

// What stands in headers where no ping fits: 48 bits, of which every answer gives back at least as
// much as home needs to know them again. One for each hour, form and neighbour; its last address
// byte is `neighbour`, so that home learns which one it was.
//
//   TCP SYN       word = sequence number                      half = source port
//     answered by SYN-ACK or RST: acknowledgement = word + 1, destination port = half
//     quoted in an ICMP error: as they were
//   UDP           word = source port << 16 | destination port half = IPv4 identification, or the
//                                                             lower 16 bits of IPv6's flow label
//     quoted in an ICMP error: as they were
//   ICMP echo     word = identifier << 16 | sequence number   half = as for UDP
//     answered: word alone, and the ping that the echo carried; quoted: as they were
//
// Forms and methods: echo, closed_port (UDP) and syn are spoof-bounce with the form as its variant;
// time_exceeded is spoof-ttl, whose variants 0, 1, 2 are UDP, TCP SYN and ICMP echo. ICMP errors
// that quote enough hold the ping of UDP and echo as well: then home goes by the ping.
struct BounceToken {
  std::uint32_t word = 0;
  std::uint16_t half = 0;
  friend bool operator==(const BounceToken&, const BounceToken&) = default;
};
enum class BounceForm : std::uint8_t { echo = 0, closed_port = 1, syn = 2, time_exceeded = 3 };
// `hour` counts since 1970 by the sender's clock.
BounceToken bounce_token(const SharedKey& key, std::int64_t hour, BounceForm form,
                         std::uint8_t neighbour);

struct TokenContent {
  BounceForm form{};
  std::uint8_t neighbour = 0;
};
// Nothing where it is none of this key's and hour's. Of 2^48 tokens 1,024 are.
std::optional<TokenContent> read_token(const BounceToken& token, const SharedKey& key,
                                       std::int64_t hour);
// The 24 bits that all tokens of a key and hour begin with: to look them up.
std::uint32_t token_hint(const SharedKey& key, std::int64_t hour);
constexpr std::uint32_t hint_in(const BounceToken& token) {
  return token.word >> 8;
}

}  // namespace beaconry
