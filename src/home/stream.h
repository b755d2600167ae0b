#pragma once
#include "home/receiver.h"

namespace beaconry {

// What one accepted TCP connection says, and what it is answered: pings as they are, in either
// direction, as often as they come. Holds at most kMostHeld bytes. One thread.
class Stream {
 public:
  static constexpr std::size_t kMostHeld = 16 * 1024;

  // `where` has addresses, ports, protocol and TTL of the connection.
  explicit Stream(Observation where) : where_(std::move(where)) {}

  // Takes what arrived and appends to `out` what is to be sent. False: nothing more is wanted of
  // it; it is to be closed once `out` is sent.
  bool take(ByteView bytes, Desk& desk, Bytes& out);

 private:
  Observation where_;
  Bytes held_;
};

}  // namespace beaconry
