#include "home/dns_connections.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <tuple>

#include "home/dns_datagrams.h"
#include "home/socket_address.h"
#include "packet/parse.h"

namespace beaconry {
namespace {

constexpr int kBacklog = 64, kAcceptedAtOnce = 64;
constexpr std::size_t kLongestQuestion = 1024;  // a name, EDNS and its options

}  // namespace

Result<DnsConnections> DnsConnections::listen(const std::vector<IpAddress>& addresses,
                                              std::uint16_t port) {
  DnsConnections connections;
  for (const IpAddress& address : addresses) {
    auto made = open_bound(address, port, SOCK_STREAM);
    if (!made) return tl::unexpected<Error>(std::move(made.error()));
    const int once = 1;  // that a SYN is answered again: it may bear a stranger's address
    ::setsockopt(made->socket.get(), IPPROTO_TCP, TCP_SYNCNT, &once, sizeof once);
    if (::listen(made->socket.get(), kBacklog) != 0) {
      return fail_errno("listen at", address.to_string());
    }
    connections.listeners_.push_back(std::move(made->socket));
  }
  return connections;
}

std::vector<int> DnsConnections::descriptors() const {
  std::vector<int> all;
  for (const Fd& listener : listeners_)
    all.push_back(listener.get());
  for (const Connection& connection : connections_)
    all.push_back(connection.socket.get());
  return all;
}

void DnsConnections::work(Zone& zone, Desk& desk) {
  const Timestamp now = desk.now();
  for (const Fd& listener : listeners_)
    accept_all(listener.get(), now);
  connections_.erase(std::remove_if(connections_.begin(), connections_.end(),
                                    [&](Connection& c) { return !serve(c, zone, desk, now); }),
                     connections_.end());
  counts_.open = connections_.size();
}

void DnsConnections::accept_all(int listener, Timestamp now) {
  for (int i = 0; i < kAcceptedAtOnce; ++i) {
    sockaddr_storage from{}, to{};
    socklen_t size = sizeof from;
    Fd socket(::accept4(listener, reinterpret_cast<sockaddr*>(&from), &size,
                        SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) return;
    Observation where;
    where.protocol = kProtocolTcp;
    std::tie(where.source, where.source_port) = from_socket_address(from);
    size = sizeof to;
    if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&to), &size) != 0) continue;
    std::tie(where.destination, where.destination_port) = from_socket_address(to);
    const auto of_one = static_cast<std::size_t>(
        std::count_if(connections_.begin(), connections_.end(), [&](const Connection& c) {
          return c.where.source.masked(64) == where.source.masked(64) &&
                 (!where.source.is_v4() || c.where.source == where.source);
        }));
    if (connections_.size() >= kMost || of_one >= kMostOfOne) {
      ++counts_.refused;
      continue;
    }
    ++counts_.accepted;
    connections_.push_back({std::move(socket), std::move(where), now, now, {}, 0});
  }
}

// False: it is over.
bool DnsConnections::serve(Connection& connection, Zone& zone, Desk& desk, Timestamp now) {
  if (now - connection.heard >= kSilence || now - connection.began >= kLongest) return false;
  std::array<std::uint8_t, 2 + kLongestQuestion> bytes;
  const int socket = connection.socket.get();
  const ssize_t got = ::recv(socket, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (got <= 0) return false;
  connection.heard = now;
  connection.in.insert(connection.in.end(), bytes.begin(), bytes.begin() + got);
  Bytes out;
  std::size_t done = 0;
  for (;;) {
    ByteCursor cursor(ByteView(connection.in).subspan(done));
    const std::size_t size = cursor.u16();
    const ByteView message = cursor.take(size);
    if (size > kLongestQuestion) return false;
    if (!cursor.ok()) break;
    if (++connection.questions > kMostQuestions) return false;
    done += 2 + size;
    const auto answer = zone.answer(message, Zone::Transport::tcp, connection.where, desk);
    if (!answer) return false;
    out.push_back(static_cast<std::uint8_t>(answer->size() >> 8));
    out.push_back(static_cast<std::uint8_t>(answer->size()));
    out.insert(out.end(), answer->begin(), answer->end());
  }
  connection.in.erase(connection.in.begin(),
                      connection.in.begin() + static_cast<std::ptrdiff_t>(done));
  if (out.empty()) return true;
  // What is not taken at once is of somebody who asks without reading.
  return ::send(socket, out.data(), out.size(), MSG_DONTWAIT | MSG_NOSIGNAL) ==
         static_cast<ssize_t>(out.size());
}

}  // namespace beaconry
