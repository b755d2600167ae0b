// double_tag_switch IN OUT [NATIVE [INNER]]
//   A switch that can be hopped: IN is an access port of the VLAN NATIVE (default 1), which the
//   trunk carries untagged; OUT is all that is in the VLAN INNER (default 20; 0: any). A frame that
//   comes from IN with NATIVE as its outer tag loses that tag at the trunk's near end, is of the
//   VLAN that its inner tag names at the far end, and leaves by OUT untagged if that is INNER.
//   Frames with other tags or with one go nowhere here. It sees what reaches IN: run it where the
//   gateway's Ethernet address is, or let the bridge flood.
#include "device.h"

using namespace beaconry;
using namespace beaconry::device;

namespace {

int vlan_at(const Bytes& frame, std::size_t at) {
  if (frame.size() < at + 4 || !parse_is_vlan(parse_be16(frame.data() + at))) return -1;
  return parse_be16(frame.data() + at + 2) & 0xfff;
}

}  // namespace

int main(int count, char** words) {
  if (count < 3 || count > 5) {
    std::fputs("usage: double_tag_switch IN OUT [NATIVE [INNER]]\n", stderr);
    return 2;
  }
  const FrameSocket in(words[1]), out(words[2]);
  const int native = count > 3 ? std::atoi(words[3]) : 1;
  const int inner = count > 4 ? std::atoi(words[4]) : 20;
  ready();
  for (;;) {
    Bytes frame = in.receive().frame;
    const int second = vlan_at(frame, 16);
    if (vlan_at(frame, 12) != native || second < 0 || (inner != 0 && second != inner)) continue;
    frame.erase(frame.begin() + 12, frame.begin() + 20);
    out.send(frame);
  }
}
