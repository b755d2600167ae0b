#pragma once
// A veth pair in a network namespace of the test's own: frames are sent at both ends, and one end,
// "va", is captured.
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "capture/capture.h"
#include "flow/test_traffic.h"
#include "packet/parse.h"
#include "packet/test_messages.h"

namespace beaconry::test_network {

using test_messages::Bytes;
using test_traffic::Recorder;
using test_traffic::Seen;

inline Timestamp now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

inline void append16(Bytes& bytes, unsigned value) {
  bytes.push_back(static_cast<std::uint8_t>(value >> 8));
  bytes.push_back(static_cast<std::uint8_t>(value));
}

struct Packet {
  IpAddress from, to;
  std::uint16_t from_port = 0, to_port = 0;
  Bytes payload;
  std::vector<std::uint16_t> tags;  // VLAN protocols, outermost first
  bool out = false;                 // leaves by the captured interface, else comes in
};

// A UDP frame.
inline Bytes frame_of(const Packet& packet) {
  Bytes frame{2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8};
  for (const std::uint16_t tag : packet.tags) {
    append16(frame, tag);
    append16(frame, 7);
  }
  const auto append = [&](const IpAddress& address) {
    const auto& bytes = address.bytes();
    frame.insert(frame.end(), bytes.begin() + (address.is_v4() ? 12 : 0), bytes.end());
  };
  const auto length = static_cast<unsigned>(packet.payload.size() + 8);
  if (packet.from.is_v4()) {
    append16(frame, 0x0800);
    frame.insert(frame.end(), {0x45, 0});
    append16(frame, length + 20);
    frame.insert(frame.end(), {0, 0, 0, 0, 64, kProtocolUdp, 0, 0});
  } else {
    append16(frame, 0x86dd);
    frame.insert(frame.end(), {0x60, 0, 0, 0});
    append16(frame, length);
    frame.insert(frame.end(), {kProtocolUdp, 64});
  }
  append(packet.from);
  append(packet.to);
  append16(frame, packet.from_port);
  append16(frame, packet.to_port);
  append16(frame, length);
  append16(frame, 0);
  frame.insert(frame.end(), packet.payload.begin(), packet.payload.end());
  return frame;
}

inline std::vector<std::string> described(const Recorder& seen) {
  std::vector<std::string> all;
  for (const Seen& event : seen.check_ins()) {
    all.push_back(event.pair + ' ' + std::to_string(event.source_port) + ' ' + event.name + ' ' +
                  std::to_string(event.out) + ' ' + std::to_string(event.in));
  }
  std::sort(all.begin(), all.end());
  return all;
}

class LiveCapture : public testing::Test {
 protected:
  void SetUp() override {
    if (::unshare(CLONE_NEWNET) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
      GTEST_SKIP() << "no network namespace can be made here: needs root or user namespaces";
    }
    if (!shell("ip link add va type veth peer name vb")) {
      GTEST_SKIP() << "no veth pair can be made here";
    }
    for (const char* name : {"all", "default", "va", "vb"}) {
      std::ofstream("/proc/sys/net/ipv6/conf/" + std::string(name) + "/disable_ipv6") << 1;
    }
    ASSERT_TRUE(shell("ip link set lo up"));
    ASSERT_TRUE(shell("ip link set va up"));
    ASSERT_TRUE(shell("ip link set vb up"));
  }

  static bool shell(const std::string& command) {
    return std::system((command + " 2>/dev/null").c_str()) == 0;
  }

  void send(const Packet& packet) {
    const Bytes frame = frame_of(packet);
    if (!sender_) sender_ = Fd(::socket(AF_PACKET, SOCK_RAW, 0));
    ASSERT_TRUE(sender_);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = static_cast<int>(::if_nametoindex(packet.out ? "va" : "vb"));
    ASSERT_EQ(::sendto(sender_.get(), frame.data(), frame.size(), 0,
                       reinterpret_cast<const sockaddr*>(&address), sizeof address),
              static_cast<ssize_t>(frame.size()))
        << std::strerror(errno);
  }

  bool wait_until(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      capture_->drain(now());
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    return true;
  }
  std::uint64_t packets() const {
    std::uint64_t sum = 0;
    for (const auto& one : capture_->counters().interfaces)
      sum += one.packets;
    return sum;
  }

  Fd sender_;
  Recorder seen_;
  std::unique_ptr<Capture> capture_;
};

inline Packet v4(std::uint16_t port, std::size_t size) {
  return {*IpAddress::parse("10.0.0.5"),
          *IpAddress::parse("203.0.113.9"),
          port,
          9000,
          Bytes(size),
          {},
          false};
}

inline Packet v6(std::uint16_t port, std::size_t size) {
  return {*IpAddress::parse("2001:db8::5"),
          *IpAddress::parse("2001:db8:1::9"),
          port,
          9000,
          Bytes(size),
          {},
          false};
}

inline Packet answer(Packet packet, std::size_t size) {
  std::swap(packet.from, packet.to);
  std::swap(packet.from_port, packet.to_port);
  packet.payload.resize(size);
  packet.out = !packet.out;
  return packet;
}

}  // namespace beaconry::test_network
