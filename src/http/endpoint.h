#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "http/message.h"

namespace beaconry {

// Where a server listens or a client connects: one address and port, or a Unix socket's path.
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;
  std::string unix_path;  // instead

  std::string to_string() const;  // "127.0.0.1:9090", "[::1]:9090", "unix:/run/x.sock"
};

// The words of a configuration: address:port, [address]:port, localhost:port, unix:/path.
Result<Endpoint> parse_endpoint(std::string_view text);

// A socket that listens, non-blocking. A Unix socket's file has mode 0600; one that nobody listens
// on any more is replaced. `at` gets the port that was bound.
Result<Fd> listen_at(Endpoint& at);

// A connection of a listening socket, non-blocking, and whose it is; no descriptor: none waits, or
// errno tells why not.
Fd accept_from(int listener, HttpPeer& peer);

// Addresses of a connection: this end's and the other's. Nothing: of a Unix socket, or of one that
// is not connected any more.
std::optional<std::pair<IpAddress, IpAddress>> ends_of(const Fd& connection);

// A connection, non-blocking, to the first endpoint that answers in time.
// `is_cancelled`, if any, is asked several times a second and ends it.
Result<Fd> connect_to(const std::vector<Endpoint>& endpoints, std::chrono::milliseconds patience,
                      const std::function<bool()>& is_cancelled = {});

// The addresses of a host: of an address itself, of localhost and of /etc/hosts without any library
// (a static program has no name service but DNS), else by the system's resolver.
Result<std::vector<Endpoint>> resolve(const std::string& host, std::uint16_t port);

}  // namespace beaconry
