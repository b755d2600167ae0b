// nat64 IN OUT ADDRESS [SERVED]
//   A stateless-on-the-way-out NAT64 gateway: IPv6 from IN to 64:ff9b::/96 leaves by OUT as IPv4
//   from ADDRESS: UDP, TCP and echo; of the network SERVED alone, if one is given. Answers are not
//   translated back.
#include "device.h"

using namespace beaconry;
using namespace beaconry::device;

namespace {

// The transport's checksum, once its pseudo-header is of the other family.
void mend_checksum(Bytes& transport, std::uint8_t protocol, const IpAddress& from,
                   const IpAddress& to) {
  const std::size_t at = protocol == kProtocolUdp ? 6 : protocol == kProtocolTcp ? 16 : 2;
  if (transport.size() < at + 2) return;
  transport[at] = transport[at + 1] = 0;
  std::uint32_t sum = 0;
  if (protocol != kProtocolIcmp) {
    sum = add_to_checksum(sum, ByteView(from.bytes()).subspan(12));
    sum = add_to_checksum(sum, ByteView(to.bytes()).subspan(12));
    sum += protocol + static_cast<std::uint32_t>(transport.size());
  }
  const std::uint16_t finished = finish_checksum(add_to_checksum(sum, transport));
  transport[at] = static_cast<std::uint8_t>(finished >> 8);
  transport[at + 1] = static_cast<std::uint8_t>(finished);
}

}  // namespace

int main(int count, char** words) {
  const auto own = count == 4 || count == 5 ? IpAddress::parse(words[3]) : std::nullopt;
  const auto served = Cidr::parse(count == 5 ? words[4] : "::/0");
  if (!own || !own->is_v4() || !served) {
    std::fputs("usage: nat64 IN OUT ADDRESS [SERVED]\n", stderr);
    return 2;
  }
  const FrameSocket in(words[1]);
  const PacketSender out(words[2]);
  const Cidr prefix = *Cidr::parse("64:ff9b::/96");
  ready();
  for (;;) {
    const auto got = in.receive();
    const auto packet = got.to_whom == PACKET_HOST ? packet_of(got.frame) : std::nullopt;
    if (!packet || (*packet)[0] >> 4 != 6 || (*packet)[7] <= 1) continue;
    if (!prefix.contains(IpAddress::v6_bytes(packet->data() + 24))) continue;
    if (!served->contains(IpAddress::v6_bytes(packet->data() + 8))) continue;
    Bytes transport(packet->begin() + 40, packet->end());
    std::uint8_t protocol = (*packet)[6];
    if (protocol == kProtocolIcmpv6 && transport.size() >= 8) {
      if (transport[0] != 128 && transport[0] != 129) continue;
      transport[0] = transport[0] == 128 ? 8 : 0;
      protocol = kProtocolIcmp;
    }
    if (protocol != kProtocolUdp && protocol != kProtocolTcp && protocol != kProtocolIcmp) continue;
    const IpAddress to = IpAddress::v4_bytes(packet->data() + 36);
    mend_checksum(transport, protocol, *own, to);
    out.send(ip(*own, to, protocol, transport, static_cast<std::uint8_t>((*packet)[7] - 1)));
  }
}
