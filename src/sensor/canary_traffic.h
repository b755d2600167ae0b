#pragma once
#include <chrono>
#include <cstdint>
#include <string_view>

namespace beaconry {

// The known traffic by which a detector proves that it detects: one UDP packet to a discard port
// every five seconds, as an implant's check-in, between two addresses of TEST-NET-2 (RFC 5737) that
// nobody has. It is put on instruments' interfaces alone and never on a network.
inline constexpr std::string_view kCanarySource = "198.51.100.2";
inline constexpr std::string_view kCanaryDestination = "198.51.100.9";
inline constexpr std::uint16_t kCanaryPort = 9;  // discard, RFC 863
inline constexpr std::chrono::seconds kCanaryEvery{5};

}  // namespace beaconry
