#pragma once
#include <string>

#include "packet/found_name.h"

namespace beaconry {

constexpr std::size_t kLongestClientHello = 16'384;

// Could this be the beginning of a TLS stream from its client? Two bytes decide, so that a split
// record is recognised too.
inline bool looks_like_tls_client(ByteView bytes) {
  return bytes.size() >= 2 && bytes[0] == 22 && bytes[1] == 3;
}

// The server name (SNI, RFC 6066 §3) of a ClientHello in TLS records, as a TCP stream begins with.
// A hello spread over several records is put together in `scratch`, into which the name then
// points.
FoundName tls_client_hello(ByteView stream, std::string& scratch);

// The same of the bare handshake message, as in QUIC CRYPTO frames.
FoundName tls_client_hello_message(ByteView handshake);

}  // namespace beaconry
