#include "http/endpoint.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>

#include "base/text.h"
#include "http/target.h"

namespace beaconry {
namespace {

constexpr std::size_t kLongestLine = 4'096;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

Result<SocketAddress> socket_address(const Endpoint& at) {
  SocketAddress out;
  if (!at.unix_path.empty()) {
    auto* const address = reinterpret_cast<sockaddr_un*>(&out.storage);
    if (at.unix_path.size() >= sizeof address->sun_path)
      return fail(ErrorKind::usage, "use", at.to_string(),
                  "a Unix socket's path has at most 107 bytes");
    address->sun_family = AF_UNIX;
    std::copy(at.unix_path.begin(), at.unix_path.end(), address->sun_path);
    out.size = sizeof(sockaddr_un);
  } else if (at.address.is_v4()) {
    auto* const address = reinterpret_cast<sockaddr_in*>(&out.storage);
    address->sin_family = AF_INET;
    address->sin_port = htons(at.port);
    address->sin_addr.s_addr = htonl(at.address.v4_value());
    out.size = sizeof(sockaddr_in);
  } else {
    auto* const address = reinterpret_cast<sockaddr_in6*>(&out.storage);
    address->sin6_family = AF_INET6;
    address->sin6_port = htons(at.port);
    std::memcpy(&address->sin6_addr, at.address.bytes().data(), 16);
    out.size = sizeof(sockaddr_in6);
  }
  return out;
}

void read_address(const sockaddr* from, IpAddress& address, std::uint16_t& port) {
  if (from->sa_family == AF_INET) {
    const auto* const v4 = reinterpret_cast<const sockaddr_in*>(from);
    address = IpAddress::v4(ntohl(v4->sin_addr.s_addr));
    port = ntohs(v4->sin_port);
  } else if (from->sa_family == AF_INET6) {
    const auto* const v6 = reinterpret_cast<const sockaddr_in6*>(from);
    address = IpAddress::v6_bytes(v6->sin6_addr.s6_addr);
    port = ntohs(v6->sin6_port);
  }
}

Result<Fd> make_socket(const Endpoint& at, const SocketAddress& address) {
  Fd out(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!out) return fail_errno("open a socket for", at.to_string());
  return out;
}

// The file of a server that is gone. One that answers is left, and so is whatever is no socket.
Result<void> remove_stale(const Endpoint& at, SocketAddress& address) {
  struct stat status {};
  if (::lstat(at.unix_path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode))
    return fail(ErrorKind::usage, "listen on", at.to_string(),
                "there is a file that is no socket; choose another path");
  auto probe = make_socket(at, address);
  if (!probe) return tl::unexpected(probe.error());
  if (::connect(probe->get(), address.get(), address.size) == 0 || errno != ECONNREFUSED)
    return fail(ErrorKind::usage, "listen on", at.to_string(), "another program listens there");
  ::unlink(at.unix_path.c_str());
  return {};
}

// Of a socket of this machine the caller knows what listens there, and what to do about it.
std::string words_for_connect(const Endpoint& at, int error) {
  if (!at.unix_path.empty())
    return error == ENOENT ? "no such socket" : ascii_lower(std::strerror(error));
  switch (error) {
    case ECONNREFUSED:
      return "connection refused; is the server running there?";
    case ENETUNREACH:
    case EHOSTUNREACH:
      return std::string(std::strerror(error)) + "; is the address right, and the network up?";
    default:
      return std::strerror(error);
  }
}

constexpr std::chrono::milliseconds kBetweenQuestions{200};

Result<Fd> connect_one(const Endpoint& at, std::chrono::milliseconds patience,
                       const std::function<bool()>& is_cancelled) {
  auto address = socket_address(at);
  if (!address) return tl::unexpected(address.error());
  auto made = make_socket(at, *address);
  if (!made) return made;
  const auto no = [&](int error) {
    return fail(ErrorKind::io, "connect", at.to_string(), words_for_connect(at, error));
  };
  const int one = 1;
  if (at.unix_path.empty()) {
    ::setsockopt(made->get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    ::setsockopt(made->get(), SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
  }
  if (::connect(made->get(), address->get(), address->size) == 0) return made;
  if (errno != EINPROGRESS) return no(errno);
  pollfd waits{made->get(), POLLOUT, 0};
  const auto until = std::chrono::steady_clock::now() + patience;
  while (true) {
    auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    const bool is_late = left.count() <= 0;
    if (is_cancelled) left = std::min(left, kBetweenQuestions);
    const int ready = is_late ? 0 : ::poll(&waits, 1, static_cast<int>(left.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return no(errno);
    if (ready == 0 && is_cancelled && is_cancelled()) return no(ECANCELED);
    if (ready == 0 && !is_late) continue;
    if (ready == 0)
      return fail(ErrorKind::io, "connect", at.to_string(),
                  "no answer; is the address right, and does a firewall let it through?");
    break;
  }
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(made->get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return no(error);
  return made;
}

std::vector<Endpoint> look_in_hosts_file(const std::string& host, std::uint16_t port) {
  std::vector<Endpoint> out;
  std::ifstream file("/etc/hosts");
  std::string line;
  while (std::getline(file, line)) {
    if (line.size() > kLongestLine) continue;
    std::string_view rest = std::string_view(line).substr(0, line.find('#'));
    std::vector<std::string_view> words;
    while (!(rest = trim(rest)).empty()) {
      const auto end = std::min(rest.find_first_of(" \t"), rest.size());
      words.push_back(rest.substr(0, end));
      rest.remove_prefix(end);
    }
    if (words.size() < 2) continue;
    const auto address = IpAddress::parse(words[0]);
    const bool named = std::any_of(words.begin() + 1, words.end(), [&](std::string_view word) {
      return ascii_lower(word) == host;
    });
    if (address && named) out.push_back({*address, port, {}});
  }
  return out;
}

}  // namespace

std::string Endpoint::to_string() const {
  if (!unix_path.empty()) return "unix:" + unix_path;
  return beaconry::to_string(HostPort{address.to_string(), port});
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  Endpoint out;
  if (text.starts_with("unix:")) {
    out.unix_path = text.substr(5);
    if (out.unix_path.empty())
      return fail(ErrorKind::usage, "listen on", std::string(text), "the path is missing");
    return out;
  }
  const auto parts = parse_host_port(text);
  const auto address =
      !parts ? std::nullopt
             : IpAddress::parse(parts->host == "localhost" ? "127.0.0.1" : parts->host);
  if (!address || !parts->port)
    return fail(ErrorKind::usage, "listen on", terminal_safe(text),
                "write address:port, [address]:port or unix:/path, as 127.0.0.1:9090");
  out.address = *address;
  out.port = *parts->port;
  return out;
}

Result<Fd> listen_at(Endpoint& at) {
  auto address = socket_address(at);
  if (!address) return tl::unexpected(address.error());
  auto made = make_socket(at, *address);
  if (!made) return made;
  const int one = 1;
  if (!at.unix_path.empty()) {
    if (auto removed = remove_stale(at, *address); !removed) return tl::unexpected(removed.error());
    ::fchmod(made->get(), 0600);  // before bind(), which takes the mode over: no moment between
  } else {
    ::setsockopt(made->get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (!at.address.is_v4()) ::setsockopt(made->get(), IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
  }
  if (::bind(made->get(), address->get(), address->size) != 0 ||
      ::listen(made->get(), 4'096) != 0) {
    if (errno == EADDRINUSE)
      return fail(ErrorKind::usage, "listen on", at.to_string(),
                  "another program listens there; stop it or choose another port");
    return fail_errno("listen on", at.to_string());
  }
  if (at.unix_path.empty()) {
    ::getsockname(made->get(), address->get(), &address->size);
    read_address(address->get(), at.address, at.port);
  }
  return made;
}

Fd accept_from(int listener, HttpPeer& peer) {
  SocketAddress address;
  address.size = sizeof address.storage;
  Fd out(::accept4(listener, address.get(), &address.size, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!out) return out;
  peer.unix_socket = address.storage.ss_family == AF_UNIX;
  if (!peer.unix_socket) {
    read_address(address.get(), peer.address, peer.port);
    const int one = 1;
    ::setsockopt(out.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  }
  return out;
}

std::optional<std::pair<IpAddress, IpAddress>> ends_of(const Fd& connection) {
  SocketAddress local, peer;
  local.size = peer.size = sizeof local.storage;
  if (::getsockname(connection.get(), local.get(), &local.size) != 0 ||
      ::getpeername(connection.get(), peer.get(), &peer.size) != 0 ||
      local.storage.ss_family == AF_UNIX)
    return std::nullopt;
  std::pair<IpAddress, IpAddress> ends;
  std::uint16_t port = 0;
  read_address(local.get(), ends.first, port);
  read_address(peer.get(), ends.second, port);
  return ends;
}

Result<Fd> connect_to(const std::vector<Endpoint>& endpoints, std::chrono::milliseconds patience,
                      const std::function<bool()>& is_cancelled) {
  std::optional<Error> first;  // the likeliest meant: 127.0.0.1 of localhost
  for (const Endpoint& at : endpoints) {
    auto made = connect_one(at, patience / static_cast<int>(endpoints.size()), is_cancelled);
    if (made || (is_cancelled && is_cancelled())) return made;
    if (!first) first = made.error();
  }
  if (!first) return fail(ErrorKind::not_found, "connect", "", "no address");
  return tl::unexpected(*first);
}

Result<std::vector<Endpoint>> resolve(const std::string& host, std::uint16_t port) {
  if (const auto address = IpAddress::parse(host))
    return std::vector<Endpoint>{{*address, port, {}}};
  if (host == "localhost" || host.ends_with(".localhost")) {  // RFC 6761 §6.3
    return std::vector<Endpoint>{{*IpAddress::parse("127.0.0.1"), port, {}},
                                 {*IpAddress::parse("::1"), port, {}}};
  }
  std::vector<Endpoint> out = look_in_hosts_file(host, port);
  if (!out.empty()) return out;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (code != 0)
    return fail(ErrorKind::not_found, "look up", host,
                std::string(::gai_strerror(code)) + "; is the name right, and is DNS reachable?");
  for (const addrinfo* one = found; one != nullptr && out.size() < 8; one = one->ai_next) {
    Endpoint at;
    read_address(one->ai_addr, at.address, at.port);
    at.port = port;
    out.push_back(at);
  }
  ::freeaddrinfo(found);
  return out;
}

}  // namespace beaconry
