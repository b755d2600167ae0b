#pragma once
#include <chrono>
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
};

// Frames in and out. The only implementations: AF_PACKET, and a capture file (--dry-run), which
// answers nothing. One thread.
class Link {
 public:
  virtual ~Link() = default;
  virtual const InterfaceFacts& facts() const = 0;
  // To be called by Egress alone: the one place where frames leave.
  virtual Result<void> send(ByteView frame, Timestamp now) = 0;
  // The next frame, at most `wait` later; nothing if none came. Frames that this program sent
  // itself are not given. Valid until the next call.
  virtual Result<std::optional<ByteView>> receive(std::chrono::milliseconds wait) = 0;
  // To wait for it along with others; -1 for a file.
  virtual int descriptor() const = 0;
  virtual std::uint64_t drops() const = 0;  // frames that the kernel had no room for
};

// Promiscuous only where the probe answers on an address of its own MAC. Needs CAP_NET_RAW.
Result<std::unique_ptr<Link>> open_packet_link(const std::string& interface);
// Frames with their times into a pcap file. `facts` stand for the interface.
Result<std::unique_ptr<Link>> open_capture_link(const std::string& path, InterfaceFacts facts);

}  // namespace beaconry
