// broadcast_forwarder IN OUT
//   A faulty router: forwards IP packets from IN out of OUT although their Ethernet frame was for
//   all hosts or for a group. Linux never does. What was for the device alone is left to the
//   kernel.
#include "device.h"

using namespace beaconry;
using namespace beaconry::device;

int main(int count, char** words) {
  if (count != 3) {
    std::fputs("usage: broadcast_forwarder IN OUT\n", stderr);
    return 2;
  }
  const FrameSocket in(words[1]);
  const PacketSender out(words[2]);
  ready();
  for (;;) {
    const auto got = in.receive();
    if (got.to_whom != PACKET_BROADCAST && got.to_whom != PACKET_MULTICAST) continue;
    auto packet = packet_of(got.frame);
    if (!packet) continue;
    const bool v4 = (*packet)[0] >> 4 == 4;
    const IpAddress to =
        v4 ? IpAddress::v4_bytes(packet->data() + 16) : IpAddress::v6_bytes(packet->data() + 24);
    if (to.is_multicast() || to.is_broadcast() || to.is_link_local() || !age(*packet)) continue;
    out.send(*packet);
  }
}
