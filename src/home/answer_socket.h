#pragma once
#include <cstdint>

#include "base/fd.h"
#include "base/result.h"
#include "ping/observation.h"

namespace beaconry {

// Sends answers that come from where a packet was sent to: raw sockets, which send whole IP
// packets. Needs CAP_NET_RAW to open and nothing later. One thread; never blocks.
class AnswerSocket {
 public:
  static Result<AnswerSocket> open();

  // False where that cannot be answered: its source or destination is no one host's address, or the
  // kernel refused it.
  bool send_udp(const Observation& to, ByteView payload);
  bool send_echo(const Observation& to, std::uint32_t identifier_and_sequence, ByteView payload);

 private:
  AnswerSocket() = default;
  bool send(const Observation& to, std::uint8_t protocol, ByteView transport);

  Fd v4_, v6_;
};

}  // namespace beaconry
