#include "home/tcp_visitors.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <tuple>
#include <unordered_map>

#include "home/socket_address.h"
#include "home/stream.h"
#include "packet/parse.h"

namespace beaconry {
namespace {

constexpr int kMostAccepted = 256;  // at once
constexpr int kMostEvents = 256;
constexpr std::size_t kMostWaiting = 4096;  // bytes of answers that one does not read

struct Visitor {
  Visitor(Fd s, Observation where, const IpAddress& n, Timestamp now)
      : socket(std::move(s)), stream(std::move(where)), network(n), began(now), heard(now) {}

  Fd socket;
  VisitStream stream;
  IpAddress network;
  Timestamp began, heard;
  Bytes out;
  bool over = false;  // to be closed once `out` is sent
};

// The TTL of the SYN: a TCP socket does not tell of later packets.
std::uint8_t ttl_of(int socket) {
  std::array<std::uint8_t, 512> headers;
  socklen_t size = headers.size();
  if (::getsockopt(socket, IPPROTO_TCP, TCP_SAVED_SYN, headers.data(), &size) != 0 || size < 20) {
    return 0;
  }
  return headers[0] >> 4 == 4 ? headers[8] : headers[7];
}

class EpollVisitors final : public TcpVisitors {
 public:
  EpollVisitors(Fd epoll, std::size_t most) : epoll_(std::move(epoll)), most_(most) {}

  Result<void> listen_to(int listener) override {
    if (!watch(listener, EPOLL_CTL_ADD, EPOLLIN)) return fail_errno("wait for", "connections");
    listeners_.push_back(listener);
    return {};
  }
  int descriptor() const override { return epoll_.get(); }
  void work(Desk& desk) override;
  Counts counts() const override {
    Counts counts = counts_;
    counts.open = visitors_.size();
    return counts;
  }

 private:
  bool watch(int socket, int operation, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = socket;
    return ::epoll_ctl(epoll_.get(), operation, socket, &event) == 0;
  }
  void accept_all(int listener, Timestamp now);
  void serve(Visitor& visitor, Desk& desk, Timestamp now);
  bool send(Visitor& visitor);
  void close(int socket);
  void close_late(Timestamp now);

  Fd epoll_;
  std::size_t most_;
  std::vector<int> listeners_;
  std::unordered_map<int, Visitor> visitors_;
  std::unordered_map<std::string, std::size_t> of_network_;
  Timestamp looked_{};
  Counts counts_;
};

std::string key_of(const IpAddress& network) {
  return {network.bytes().begin(), network.bytes().end()};
}

void EpollVisitors::work(Desk& desk) {
  const Timestamp now = desk.now();
  std::array<epoll_event, kMostEvents> events;
  const int ready = ::epoll_wait(epoll_.get(), events.data(), kMostEvents, 0);
  for (int i = 0; i < ready; ++i) {
    const int socket = events[static_cast<std::size_t>(i)].data.fd;
    if (std::find(listeners_.begin(), listeners_.end(), socket) != listeners_.end()) {
      accept_all(socket, now);
      continue;
    }
    const auto at = visitors_.find(socket);
    if (at != visitors_.end()) serve(at->second, desk, now);
  }
  if (now - looked_ >= std::chrono::seconds{1} || now < looked_) close_late(now);
}

void EpollVisitors::accept_all(int listener, Timestamp now) {
  for (int i = 0; i < kMostAccepted; ++i) {
    sockaddr_storage from{}, to{};
    socklen_t size = sizeof from;
    Fd socket(::accept4(listener, reinterpret_cast<sockaddr*>(&from), &size,
                        SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) return;
    const linger at_once{1, 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    Observation where;
    where.protocol = kProtocolTcp;
    std::tie(where.source, where.source_port) = from_socket_address(from);
    size = sizeof to;
    if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&to), &size) != 0) continue;
    std::tie(where.destination, where.destination_port) = from_socket_address(to);
    const IpAddress network = where.source.is_v4() ? where.source : where.source.masked(64);
    std::size_t& of_one = of_network_[key_of(network)];
    if (visitors_.size() >= most_ || of_one >= kMostOfOne ||
        !watch(socket.get(), EPOLL_CTL_ADD, EPOLLIN | EPOLLRDHUP)) {
      if (of_one == 0) of_network_.erase(key_of(network));
      ++counts_.refused;
      continue;
    }
    ++of_one;
    ++counts_.accepted;
    where.ttl = ttl_of(socket.get());
    const int number = socket.get();
    visitors_.try_emplace(number, std::move(socket), std::move(where), network, now);
  }
}

void EpollVisitors::serve(Visitor& visitor, Desk& desk, Timestamp now) {
  const int number = visitor.socket.get();
  std::array<std::uint8_t, 8192> bytes;
  const ssize_t got = ::recv(number, bytes.data(), bytes.size(), MSG_DONTWAIT);
  const bool nothing_now = got < 0 && (errno == EAGAIN || errno == EINTR);
  if (!nothing_now && got <= 0) return close(number);
  if (got > 0 && !visitor.over) {
    visitor.heard = now;
    counts_.bytes += static_cast<std::uint64_t>(got);
    const ByteView arrived(bytes.data(), static_cast<std::size_t>(got));
    visitor.over = !visitor.stream.take(arrived, desk, visitor.out);
  }
  if (!send(visitor) || visitor.out.size() > kMostWaiting ||
      (visitor.over && visitor.out.empty())) {
    close(number);
  }
}

bool EpollVisitors::send(Visitor& visitor) {
  const int number = visitor.socket.get();
  if (!visitor.out.empty()) {
    const ssize_t sent =
        ::send(number, visitor.out.data(), visitor.out.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (sent > 0) visitor.out.erase(visitor.out.begin(), visitor.out.begin() + sent);
  }
  const std::uint32_t more = visitor.out.empty() ? 0U : static_cast<std::uint32_t>(EPOLLOUT);
  return watch(number, EPOLL_CTL_MOD, EPOLLIN | EPOLLRDHUP | more);
}

void EpollVisitors::close(int socket) {
  const auto at = visitors_.find(socket);
  const auto of_one = of_network_.find(key_of(at->second.network));
  if (--of_one->second == 0) of_network_.erase(of_one);
  // What was sent is to arrive; only who is late or too many is reset.
  const linger in_peace{0, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &in_peace, sizeof in_peace);
  visitors_.erase(at);
}

void EpollVisitors::close_late(Timestamp now) {
  looked_ = now;
  std::vector<int> late;
  for (const auto& [socket, visitor] : visitors_) {
    if (now - visitor.heard >= kSilence || now - visitor.began >= kLongest) late.push_back(socket);
  }
  counts_.timed_out += late.size();
  for (const int socket : late)
    close(socket);
}

}  // namespace

Result<std::unique_ptr<TcpVisitors>> TcpVisitors::make(std::size_t most_connections) {
  Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return fail_errno("wait for", "connections");
  return std::make_unique<EpollVisitors>(std::move(epoll), most_connections);
}

}  // namespace beaconry
