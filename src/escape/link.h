#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "packet/craft.h"

namespace beaconry {

// What a probe's interface already is, as the kernel knows it.
struct InterfaceFacts {
  std::string name;
  MacAddress mac;
  std::uint32_t mtu = 1500;
  bool up = false;
  std::vector<IpAddress> kernel_addresses;  // that the kernel answers for
  std::vector<unsigned> kernel_prefixes;    // how long each one's network prefix is
  std::vector<IpAddress> kernel_gateways;   // of its default routes through this interface
};

// Frames in and out. The only implementations: AF_PACKET, and a capture file (--dry-run), which
// answers nothing. One thread.
class Link {
 public:
  virtual ~Link() = default;
  virtual const InterfaceFacts& facts() const = 0;
  // To be called by Egress alone: the one place where frames leave.
  virtual Result<void> send(ByteView frame, Timestamp now) = 0;
  // The next frame, at most `wait` later; nothing if none came. Frames that this machine sent are
  // not given. Valid until the next call. An interface that went away or down is no error: nothing
  // comes until it is there again.
  virtual Result<std::optional<ByteView>> receive(std::chrono::milliseconds wait) = 0;
  // To wait for it along with others; -1 for a file.
  virtual int descriptor() const = 0;
  virtual std::uint64_t drops() const = 0;  // frames that the kernel had no room for
};

// Hears what is sent to the interface's own MAC, to all and to every group; never promiscuous, as
// the probe's addresses have the interface's MAC. VLAN tags that the card stripped stand in their
// place again. Needs CAP_NET_RAW.
Result<std::unique_ptr<Link>> open_packet_link(const std::string& interface);

// Frames with their times into a pcap file. `facts` stand for the interface. `waited`, if there is
// one, is told how long a receive() would have waited: a dry run's clock goes on by it.
Result<std::unique_ptr<Link>> open_capture_link(
    const std::string& path, InterfaceFacts facts,
    std::function<void(std::chrono::milliseconds)> waited = {});

}  // namespace beaconry
