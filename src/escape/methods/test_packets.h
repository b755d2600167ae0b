#pragma once
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "escape/frame_traits.h"
#include "escape/test_wire.h"

// For tests of the methods that send one packet a try.
namespace beaconry::test {

inline const MacAddress kGateway = mac_address("02:00:00:00:00:01");
inline const MacAddress kNeighbour = mac_address("02:00:00:00:00:50");
inline const MacAddress kPrinter = mac_address("02:00:00:00:00:60");

inline Target home_target(std::uint16_t port, std::uint8_t variant) {
  return {.destination = address("203.0.113.10"), .port = port, .variant = variant, .via = {}};
}

inline std::vector<Target> targets_of(const Method& method, const Scope& scope) {
  std::vector<Target> all;
  const std::uint64_t count = method.count(scope).count;
  for (std::uint64_t i = 0; i < count; ++i)
    all.push_back(method.target(scope, i));
  return all;
}

// What one try sends: one frame.
inline TestWire::Sent sent_by(TestWire& wire, const Method& method, const Target& target) {
  wire.forget_sent();
  wire.run(method, target);
  EXPECT_EQ(wire.sent().size(), 1U);
  EXPECT_EQ(wire.conversation(), nullptr);
  return wire.sent().empty() ? TestWire::Sent{} : wire.sent().front();
}

inline std::string words_of(const Target& target) {
  return target.destination.to_string() + ":" + std::to_string(target.port) + " variant " +
         std::to_string(target.variant) + " via " + target.via.to_string();
}

inline std::uint32_t traits_shown(const House& house, const Bytes& frame) {
  std::vector<IpAddress> own;
  for (const auto& each : house.segment.own())
    own.push_back(each.address);
  return inspect_frame(frame, kTestMac, own, {Cidr(address("10.0.1.0"), 24)}).traits;
}

}  // namespace beaconry::test
