#pragma once
#include "packet/found_name.h"

namespace beaconry {

constexpr std::size_t kLongestRequestHead = 8'192;

// Could this be the beginning of an HTTP/1 request? Its method and a blank decide.
bool looks_like_http_request(ByteView bytes);

struct RequestedHost {
  FoundName host;        // as sent: a port may follow
  bool connect = false;  // CONNECT: the name is what the proxy shall reach
};

// The host that a request (RFC 9112) goes to: CONNECT's target, else that of an absolute URI, else
// the Host header's. `needs_more` until the header that decides, or the head's end, is there.
RequestedHost http_request(ByteView bytes);

}  // namespace beaconry
