#include "escape/stack/dhcp_reply.h"

#include <algorithm>
#include <bit>

#include "escape/stack/frame.h"

namespace beaconry {
namespace {

constexpr std::uint32_t kMagicCookie = 0x63825363;
constexpr std::size_t kFixedPart = 236;
constexpr std::size_t kLongestWpad = 512;

void read_addresses(ByteView value, std::vector<IpAddress>& out) {
  for (std::size_t at = 0; at + 4 <= value.size(); at += 4) {
    const IpAddress address = IpAddress::v4_bytes(value.data() + at);
    if (is_host_address(address) && out.size() < DhcpReply::kMostAddresses) out.push_back(address);
  }
}

void read_option(std::uint8_t code, ByteView value, DhcpReply& reply) {
  const auto number = [&] { return value.size() == 4 ? parse_be32(value.data()) : 0; };
  switch (code) {
    case 1:
      // A mask with holes is none: the usual 24 bits stay.
      if (value.size() == 4 && std::countl_one(number()) == std::popcount(number())) {
        reply.prefix_length = static_cast<unsigned>(std::countl_one(number()));
      }
      break;
    case 3:
      read_addresses(value, reply.routers);
      break;
    case 6:
      read_addresses(value, reply.resolvers);
      break;
    case 51:
      reply.lease_seconds = number();
      break;
    case 53:
      if (value.size() == 1) reply.type = static_cast<DhcpType>(value[0]);
      break;
    case 54:
      if (value.size() == 4) reply.server = IpAddress::v4_bytes(value.data());
      break;
    case 58:
      reply.renew_seconds = number();
      break;
    case 59:
      reply.rebind_seconds = number();
      break;
    case 252: {
      std::string_view text = as_text(value);
      while (!text.empty() && text.back() == '\0')
        text.remove_suffix(1);
      const bool printable =
          std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
      if (printable && text.size() <= kLongestWpad) reply.wpad = text;
      break;
    }
    default:
      break;
  }
}

void put(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void put_option(Bytes& out, std::uint8_t code, ByteView value) {
  out.push_back(code);
  out.push_back(static_cast<std::uint8_t>(value.size()));
  put(out, value);
}

ByteView four(const IpAddress& address) {
  return ByteView(address.bytes()).subspan(12);
}

void put_address(Bytes& out, std::uint8_t code, const IpAddress& address) {
  if (address.is_v4()) put_option(out, code, four(address));
}

}  // namespace

std::optional<DhcpReply> read_dhcp_reply(ByteView message) {
  if (message.size() < kFixedPart + 4 || message[0] != 2 || message[1] != 1 || message[2] != 6) {
    return std::nullopt;
  }
  if (parse_be32(message.data() + kFixedPart) != kMagicCookie) return std::nullopt;
  DhcpReply reply;
  reply.transaction = parse_be32(message.data() + 4);
  reply.address = IpAddress::v4_bytes(message.data() + 16);
  std::copy_n(message.begin() + 28, 6, reply.client.bytes.begin());
  ByteView options = message.subspan(kFixedPart + 4);
  while (!options.empty() && options[0] != 255) {
    if (options[0] == 0) {
      options = options.subspan(1);
      continue;
    }
    if (options.size() < 2 || options.size() < std::size_t{2} + options[1]) break;
    read_option(options[0], options.subspan(2, options[1]), reply);
    options = options.subspan(std::size_t{2} + options[1]);
  }
  if (reply.type != DhcpType::offer && reply.type != DhcpType::ack && reply.type != DhcpType::nak) {
    return std::nullopt;
  }
  return reply;
}

Bytes dhcp_question(const DhcpQuestion& question) {
  Bytes out(kFixedPart, 0);
  out[0] = out[1] = 1;
  out[2] = 6;
  for (int i = 0; i < 4; ++i) {
    out[static_cast<std::size_t>(4 + i)] =
        static_cast<std::uint8_t>(question.transaction >> (24 - 8 * i));
  }
  out[10] = 0x80;  // answer by broadcast
  if (question.ours.is_v4()) std::copy_n(four(question.ours).begin(), 4, out.begin() + 12);
  std::copy(question.client.bytes.begin(), question.client.bytes.end(), out.begin() + 28);
  out.insert(out.end(), {0x63, 0x82, 0x53, 0x63});  // the magic cookie
  put_option(out, 53, Bytes{static_cast<std::uint8_t>(question.type)});
  put_option(out, 61, question.client_id);
  put_address(out, 50, question.requested);
  put_address(out, 54, question.server);
  if (question.type == DhcpType::discover || question.type == DhcpType::request) {
    put_option(out, 55, Bytes{1, 3, 6, 15, 51, 54, 58, 59, 252});
  }
  out.push_back(255);
  if (out.size() < 300) out.resize(300);  // what BOOTP relays expect (RFC 1542 §2.1)
  return out;
}

}  // namespace beaconry
