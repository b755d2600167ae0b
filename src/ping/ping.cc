#include "ping/ping.h"

#include <algorithm>
#include <charconv>

namespace beaconry {
namespace {

// docs/formats/ping.md
constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kLegMask = 0x03, kLongCycle = 0x04;
constexpr std::size_t kFixed = 35;
enum Family : unsigned { kNoAddress = 0, kIpv4 = 1, kIpv6 = 2 };
constexpr std::size_t kSizes[] = {0, 4, 16};
static_assert(kShortestPing == kFixed && kLongestPing >= kFixed + 3 * 16);

Family family_of(const IpAddress& address) {
  if (address.is_v4()) return kIpv4;
  return address == IpAddress{} ? kNoAddress : kIpv6;
}

void put(Bytes& bytes, std::uint64_t value, unsigned size) {
  for (unsigned i = size; i-- > 0;)
    bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void put(Bytes& bytes, const IpAddress& address) {
  const auto& all = address.bytes();
  const auto size = static_cast<std::ptrdiff_t>(kSizes[family_of(address)]);
  bytes.insert(bytes.end(), all.end() - size, all.end());
}

// Nothing where an address stands in a longer form than it needs: each ping has one encoding.
bool read_address(ByteCursor& cursor, unsigned family, IpAddress& address) {
  if (family > kIpv6) return false;
  const ByteView bytes = cursor.take(kSizes[family]);
  if (!cursor.ok()) return false;
  if (family == kIpv4) address = IpAddress::v4_bytes(bytes.data());
  if (family == kIpv6) address = IpAddress::v6_bytes(bytes.data());
  return family_of(address) == family;
}

std::uint64_t read_u64(ByteCursor& cursor) {
  const std::uint64_t high = cursor.u32();
  return high << 32 | cursor.u32();
}

tl::unexpected<Error> malformed(std::string cause) {
  return fail(ErrorKind::malformed, "read", "ping", std::move(cause));
}

}  // namespace

std::string ProbeId::to_string() const {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text(16, '0');
  for (unsigned i = 0; i < 16; ++i)
    text[i] = kDigits[value >> (60 - 4 * i) & 15];
  return text;
}

std::optional<ProbeId> ProbeId::parse(std::string_view text) {
  if (text.size() != 16) return std::nullopt;
  ProbeId id;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id.value, 16);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return id;
}

Bytes encode_ping(const Ping& ping) {
  const Timestamp sent = std::clamp(ping.sent, kEarliest, kLatest);
  Bytes bytes;
  bytes.reserve(kLongestPing);
  bytes.push_back(kVersion);
  unsigned flags = static_cast<unsigned>(ping.leg) & kLegMask;
  if (ping.cycle_kind == CycleKind::long_cycle) flags |= kLongCycle;
  bytes.push_back(static_cast<std::uint8_t>(flags));
  bytes.push_back(static_cast<std::uint8_t>(ping.method));
  bytes.push_back(ping.variant);
  put(bytes, ping.cycle, 4);
  put(bytes, ping.probe.value, 8);
  put(bytes, ping.sequence, 8);
  put(bytes, static_cast<std::uint64_t>(sent.time_since_epoch().count()), 8);
  put(bytes, ping.port, 2);
  put(bytes, family_of(ping.source) | family_of(ping.destination) << 2 | family_of(ping.via) << 4,
      1);
  put(bytes, ping.source);
  put(bytes, ping.destination);
  put(bytes, ping.via);
  return bytes;
}

Result<Ping> decode_ping(ByteView bytes) {
  if (bytes.size() < kShortestPing || bytes.size() > kLongestPing) {
    return malformed("it is " + std::to_string(bytes.size()) + " bytes long");
  }
  ByteCursor cursor(bytes);
  if (const unsigned version = cursor.u8(); version != kVersion) {
    return fail(ErrorKind::unsupported, "read", "ping",
                "its version is " + std::to_string(version) + "; this program reads version 1");
  }
  Ping ping;
  const unsigned flags = cursor.u8();
  if ((flags & kLegMask) == 0 || flags > (kLegMask | kLongCycle)) return malformed("unknown leg");
  ping.leg = static_cast<Leg>(flags & kLegMask);
  ping.cycle_kind = (flags & kLongCycle) != 0 ? CycleKind::long_cycle : CycleKind::short_cycle;
  ping.method = static_cast<MethodId>(cursor.u8());
  ping.variant = cursor.u8();
  ping.cycle = cursor.u32();
  ping.probe.value = read_u64(cursor);
  ping.sequence = read_u64(cursor);
  const std::uint64_t sent = read_u64(cursor);
  if (sent > static_cast<std::uint64_t>(kLatest.time_since_epoch().count())) {
    return malformed("its time is not in years 1970 to 2200");
  }
  ping.sent = Timestamp{Duration{static_cast<std::int64_t>(sent)}};
  ping.port = cursor.u16();
  const unsigned families = cursor.u8();
  if (families > 63 || !read_address(cursor, families & 3, ping.source) ||
      !read_address(cursor, families >> 2 & 3, ping.destination) ||
      !read_address(cursor, families >> 4, ping.via)) {
    return malformed("its addresses are not as their families say");
  }
  return ping;  // what follows is of later versions
}

}  // namespace beaconry
