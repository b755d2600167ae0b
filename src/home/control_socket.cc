#include "home/control_socket.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

#include "packet/parse.h"
#include "ping/seal.h"

namespace beaconry {
namespace {

constexpr int kMostAtOnce = 64;

Result<Fd> open_bound(sockaddr_in& address) {
  Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (!socket ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return fail_errno("open", "the positive control's socket on loopback");
  }
  return socket;
}

}  // namespace

Result<ControlSocket> ControlSocket::open() {
  ControlSocket control;
  sockaddr_in out{}, in{};
  auto from = open_bound(out);
  if (!from) return tl::unexpected<Error>(std::move(from.error()));
  auto to = open_bound(in);
  if (!to) return tl::unexpected<Error>(std::move(to.error()));
  if (::connect(from->get(), reinterpret_cast<const sockaddr*>(&in), sizeof in) != 0 ||
      ::connect(to->get(), reinterpret_cast<const sockaddr*>(&out), sizeof out) != 0) {
    return fail_errno("connect", "the positive control's sockets on loopback");
  }
  control.out_ = std::move(*from);
  control.in_ = std::move(*to);
  control.port_ = ntohs(in.sin_port);
  return control;
}

Result<void> ControlSocket::send(ByteView sealed) {
  if (::send(out_.get(), sealed.data(), sealed.size(), MSG_DONTWAIT) < 0) {
    return fail_errno("send", "the positive control over loopback");
  }
  return {};
}

void ControlSocket::work(Desk& desk) {
  std::array<std::uint8_t, 2048> bytes;
  for (int i = 0; i < kMostAtOnce; ++i) {
    const ssize_t got = ::recv(in_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got < 0) return;
    const ByteView message(bytes.data(), static_cast<std::size_t>(got));
    const auto found = find_ping(message);
    if (!found) continue;
    Observation seen;
    seen.received = desk.now();
    seen.receiver = "control";
    seen.carrier = Carrier::injected;
    seen.source = seen.destination = IpAddress::v4(INADDR_LOOPBACK);
    seen.destination_port = port_;
    seen.protocol = kProtocolUdp;
    seen.raw.assign(as_text(message));
    (void)desk.found(found->sealed, std::move(seen));
  }
}

}  // namespace beaconry
