#pragma once
#include <cstdint>
#include <string_view>

#include "home/receiver.h"
#include "packet/found_name.h"

namespace beaconry {

// What the bytes that a TCP connection brought are to home: for the `ports` receiver, which accepts
// connections on every port. Pure: it neither reads nor writes a socket.
enum class StreamKind : std::uint8_t {
  needs_more,  // nothing yet: ask again with more, or give up when time is over
  nothing,     // nothing of ours, whatever follows
  ping,        // a bare ping: another may follow on the same connection (leg 3)
  tls,         // a ClientHello with a ping as its server name
  http,        // a request with a ping in its target, in a header or in its body
};

struct StreamFind {
  StreamKind kind = StreamKind::needs_more;
  Bytes sealed;  // as find_ping() gives it, of `ping`, `tls` and `http`
  // For the observation: its carrier and receiver, "tcp", "tls" or "http".
  Carrier carrier = Carrier::payload;
  std::string_view receiver = "tcp";
  std::size_t used = 0;  // of the bytes handed in, up to the ping's end; of `ping` alone
};

// `bytes` is what the connection brought from its beginning, or from behind the last ping; no more
// than kMostStream is looked at, and from that size on nothing is `needs_more`.
constexpr std::size_t kMostStream = 4096;
StreamFind read_stream(ByteView bytes);

// What to write back to an answerable ping. After `tls` and `http` the connection is closed.
Bytes stream_answer(StreamKind kind, const Answerable& answer);

}  // namespace beaconry
