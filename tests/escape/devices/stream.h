#pragma once
#include <poll.h>
#include <sys/wait.h>

#include <csignal>
#include <string>

#include "device.h"

// TCP for devices: one process a connection, so that each reads from first to last.
namespace beaconry::device {

// Listens on every address of both families; `serve` runs in a process of its own and closes
// nothing.
template <class Serve>
[[noreturn]] void serve_each(std::uint16_t port, const Serve& serve) {
  std::signal(SIGCHLD, SIG_IGN);
  const int listening = socket(AF_INET6, SOCK_STREAM, 0);
  const int on = 1, off = 0;
  setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(listening, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  sockaddr_in6 at{};
  at.sin6_family = AF_INET6;
  at.sin6_port = htons(port);
  if (listening < 0 || bind(listening, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 ||
      listen(listening, 64) != 0) {
    fail("listen");
  }
  ready();
  for (;;) {
    const int client = accept(listening, nullptr, nullptr);
    if (client < 0) continue;
    if (fork() == 0) {
      close(listening);
      alarm(20);
      serve(client);
      std::_Exit(0);
    }
    close(client);
  }
}

// More of a stream; false at its end or after five seconds of nothing.
inline bool read_more(int descriptor, std::string& stream) {
  pollfd ready{descriptor, POLLIN, 0};
  if (poll(&ready, 1, 5000) <= 0) return false;
  std::array<char, 16'384> buffer;
  const ssize_t size = read(descriptor, buffer.data(), buffer.size());
  if (size <= 0) return false;
  stream.append(buffer.data(), static_cast<std::size_t>(size));
  return true;
}

inline bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

// -1 where nobody listens.
inline int dial(const IpAddress& to, std::uint16_t port) {
  sockaddr_in6 at{};
  at.sin6_family = AF_INET6;
  at.sin6_port = htons(port);
  std::memcpy(&at.sin6_addr, to.bytes().data(), 16);  // IPv4 as ::ffff:a.b.c.d
  const int descriptor = socket(AF_INET6, SOCK_STREAM, 0);
  const int off = 0;
  setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0) {
    return descriptor;
  }
  close(descriptor);
  return -1;
}

// Both ways, until one side ends.
inline void splice_both(int a, int b) {
  for (;;) {
    std::array<pollfd, 2> ready{pollfd{a, POLLIN, 0}, pollfd{b, POLLIN, 0}};
    if (poll(ready.data(), ready.size(), 10'000) <= 0) return;
    std::string bytes;
    if (ready[0].revents != 0 && (!read_more(a, bytes) || !write_all(b, bytes))) return;
    bytes.clear();
    if (ready[1].revents != 0 && (!read_more(b, bytes) || !write_all(a, bytes))) return;
  }
}

}  // namespace beaconry::device
