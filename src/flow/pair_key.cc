#include "flow/pair_key.h"

#include "base/text.h"

namespace beaconry {
namespace {

std::optional<IpAddress> parse_key_address(std::string_view text) {
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
  }
  return IpAddress::parse(text);
}

}  // namespace

std::string to_string(Protocol protocol) {
  switch (protocol) {
    case Protocol::icmp:
      return "ICMP";
    case Protocol::tcp:
      return "TCP";
    case Protocol::udp:
      return "UDP";
    case Protocol::icmpv6:
      return "ICMPV6";
    case Protocol::sctp:
      return "SCTP";
  }
  return "IP-" + std::to_string(static_cast<unsigned>(protocol));
}

std::optional<Protocol> parse_protocol(std::string_view text) {
  const std::string lower = ascii_lower(text);
  if (lower == "tcp") return Protocol::tcp;
  if (lower == "udp") return Protocol::udp;
  if (lower == "icmp") return Protocol::icmp;
  if (lower == "icmpv6" || lower == "ipv6-icmp") return Protocol::icmpv6;
  if (lower == "sctp") return Protocol::sctp;
  std::string_view digits = lower;
  if (digits.substr(0, 3) == "ip-") digits.remove_prefix(3);
  const auto number = parse_unsigned(digits);
  if (!number || *number > 255) return std::nullopt;
  return static_cast<Protocol>(*number);
}

std::string key_text(const IpAddress& address) {
  return address.is_v4() ? address.to_string() : '[' + address.to_string() + ']';
}

std::string PairKey::to_string() const {
  return key_text(source) + "->" + key_text(destination) + ':' + std::to_string(port) + '/' +
         beaconry::to_string(protocol);
}

std::optional<PairKey> PairKey::parse(std::string_view text) {
  const auto arrow = text.find("->");
  const auto slash = text.rfind('/');
  if (arrow == std::string_view::npos || slash == std::string_view::npos || slash < arrow) {
    return std::nullopt;
  }
  const auto target = text.substr(arrow + 2, slash - arrow - 2);
  const auto colon = target.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto source = parse_key_address(text.substr(0, arrow));
  const auto destination = parse_key_address(target.substr(0, colon));
  const auto port = parse_unsigned(target.substr(colon + 1));
  const auto protocol = parse_protocol(text.substr(slash + 1));
  if (!source || !destination || !port || *port > 65535 || !protocol) return std::nullopt;
  return PairKey{*source, *destination, static_cast<std::uint16_t>(*port), *protocol};
}

}  // namespace beaconry
