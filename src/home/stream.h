#pragma once
#include "home/receiver.h"

namespace beaconry {

// What one accepted TCP connection says, and what it is answered: pings as they are, in either
// direction, as often as they come; a TLS hello or an HTTP request that bears one, once. Holds
// what first_bytes.h looks at, beside what one call brought. One thread.
class VisitStream {
 public:
  // `where` has addresses, ports, protocol and TTL of the connection.
  explicit VisitStream(Observation where) : where_(std::move(where)) {}

  // Takes what arrived and appends to `out` what is to be sent. False: nothing more is wanted of
  // it; it is to be closed once `out` is sent.
  bool take(ByteView bytes, Desk& desk, Bytes& out);

 private:
  Observation where_;
  Bytes held_;
};

}  // namespace beaconry
