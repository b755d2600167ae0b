#include "packet/dhcp_message.h"

#include <algorithm>

namespace beaconry {
namespace {

constexpr std::size_t kFixedPart = 236;
constexpr std::uint32_t kMagicCookie = 0x63825363;
enum Option : std::uint8_t { pad = 0, host = 12, wanted = 50, kind = 53, fqdn = 81, end = 255 };
enum Kind : std::uint8_t { request = 3, acknowledge = 5, inform = 8 };

bool visible(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

}  // namespace

std::optional<DhcpLease> dhcp_message(ByteView message) {
  ByteCursor cursor(message);
  const ByteView fixed = cursor.take(kFixedPart);
  if (cursor.u32() != kMagicCookie || !cursor.ok()) return std::nullopt;
  const IpAddress client = IpAddress::v4_bytes(fixed.data() + 12);
  const IpAddress yours = IpAddress::v4_bytes(fixed.data() + 16);

  std::uint8_t message_kind = 0;
  IpAddress requested = IpAddress::v4(0);
  std::string_view name, full_name;
  while (cursor.left() > 0) {
    const std::uint8_t option = cursor.u8();
    if (option == Option::pad) continue;
    if (option == Option::end) break;
    const ByteView value = cursor.take(cursor.u8());
    if (!cursor.ok()) break;  // cut by the snap length: what came before counts
    if (option == Option::host) {
      name = as_text(value);
    } else if (option == Option::wanted && value.size() == 4) {
      requested = IpAddress::v4_bytes(value.data());
    } else if (option == Option::kind && value.size() == 1) {
      message_kind = value[0];
    } else if (option == Option::fqdn && value.size() > 3 && (value[0] & 4) == 0) {
      full_name = as_text(value.subspan(3));  // ASCII form of RFC 4702 §2.1
    }
  }
  while (!name.empty() && name.back() == '\0')
    name.remove_suffix(1);
  if (!visible(name)) name = full_name;
  if (!visible(name)) return std::nullopt;

  IpAddress address = IpAddress::v4(0);
  if (message_kind == Kind::acknowledge) {
    address = yours.is_unspecified() ? client : yours;
  } else if (message_kind == Kind::request) {
    address = requested.is_unspecified() ? client : requested;
  } else if (message_kind == Kind::inform) {
    address = client;
  }
  if (address.is_unspecified() || address.is_broadcast()) return std::nullopt;
  return DhcpLease{address, name};
}

}  // namespace beaconry
