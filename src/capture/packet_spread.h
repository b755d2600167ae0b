#pragma once
#include <linux/filter.h>

#include <vector>

namespace beaconry {

// A classic BPF program for PACKET_FANOUT_CBPF that says which thread gets a packet: by its two
// addresses alone, alike in both directions. The kernel's own hash (PACKET_FANOUT_HASH) is
// symmetric too, but takes ports, which fragments lack, and sends a frame whose VLAN tag was
// stripped elsewhere than one whose tag was not. `ethernet`: the frames have a link header.
std::vector<sock_filter> address_spread(bool ethernet);

}  // namespace beaconry
