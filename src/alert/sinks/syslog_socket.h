#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace beaconry {

// A connection to a syslog collector, opened at the first message and again after a failure. One
// thread; send() blocks for `timeout` at most, twice that while connecting.
class SyslogSocket {
 public:
  // "/dev/log" or another Unix socket's path, "udp://host:514", "tcp://host:514",
  // "tls://host:6514" (RFC 5425; checked against `ca_file`, or the system's).
  static Result<std::unique_ptr<SyslogSocket>> make(const std::string& address,
                                                    const std::string& ca_file,
                                                    std::chrono::milliseconds timeout);
  virtual ~SyslogSocket() = default;
  // TCP and TLS count octets (RFC 6587 §3.4.1). A stream's peer can vanish with what was just sent:
  // a stream that the collector has closed is noticed before the next message and opened anew.
  virtual Result<void> send(std::string_view message) = 0;
};

}  // namespace beaconry
