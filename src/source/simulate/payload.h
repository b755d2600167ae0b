#pragma once
#include <string>

#include "source/simulate/traffic.h"

namespace beaconry::simulate {

// What one flow says in each direction, as far as a capture shows it. Each direction has as many
// bytes as the flow says, but at least what its protocol needs and at most kLongestPayload.
struct Payload {
  std::string out;
  std::string in;
};

constexpr std::size_t kLongestPayload = 64 * 1024;
constexpr std::size_t kLongestSegment = 1400;  // of it in one packet

Payload payload_of(const Traffic& traffic, const SimulatedFlow& flow);

}  // namespace beaconry::simulate
