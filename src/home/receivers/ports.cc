#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <utility>

#include "base/log.h"
#include "base/open_files.h"
#include "home/datagrams.h"
#include "home/port_steering.h"
#include "home/receiver.h"
#include "home/tcp_visitors.h"

namespace beaconry {
namespace {

constexpr int kBacklog = 1024;
constexpr std::chrono::milliseconds kLookAgain{500};  // who listens where

class Ports final : public Receiver {
 public:
  static Result<std::unique_ptr<Receiver>> open(const HomeSettings& settings);

  std::vector<int> descriptors() const override {
    std::vector<int> all{visitors_->descriptor()};
    for (const auto& datagrams : datagrams_)
      all.push_back(datagrams->descriptor());
    return all;
  }

  void work(Desk& desk) override {
    const Timestamp now = desk.now();
    if (now - looked_ >= kLookAgain || now < looked_) {
      looked_ = now;
      look_again();
    }
    visitors_->work(desk);
    for (const auto& datagrams : datagrams_)
      datagrams->work(desk, *answers_);
  }

  std::vector<Counter> counters() const override {
    Datagrams::Counts udp;
    for (const auto& one : datagrams_) {
      udp.packets += one->counts().packets;
      udp.pings += one->counts().pings;
      udp.answers += one->counts().answers;
      udp.drops += one->counts().drops;
    }
    const TcpVisitors::Counts tcp = visitors_->counts();
    return {{"packets", udp.packets},
            {"pings", udp.pings},
            {"answers", udp.answers},
            {"socket_drops", udp.drops},
            {"connections", tcp.accepted},
            {"connections_open", tcp.open},
            {"connections_refused", tcp.refused},
            {"connections_timed_out", tcp.timed_out},
            {"tables_unread", tables_unread_}};
  }

 private:
  explicit Ports(std::vector<std::uint16_t> left) : left_(std::move(left)) {}
  Result<int> listen(int family);
  Result<UsedPorts> used() const;
  void look_again();

  std::vector<std::uint16_t> left_;
  std::vector<Fd> listeners_;
  std::vector<std::unique_ptr<Datagrams>> datagrams_;
  std::unique_ptr<TcpVisitors> visitors_;  // before its listeners
  std::unique_ptr<AnswerSocket> answers_;
  std::unique_ptr<PortSteering> steering_;
  Timestamp looked_{};
  std::uint64_t tables_unread_ = 0;
  bool could_read_ = true;
};

Result<int> Ports::listen(int family) {
  auto made = open_on_loopback(family, SOCK_STREAM);
  if (!made) return tl::unexpected<Error>(std::move(made.error()));
  const int socket = made->socket.get(), on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_SAVE_SYN, &on, sizeof on);
  if (::listen(socket, kBacklog) != 0) return fail_errno("listen with", "a socket");
  if (auto done = visitors_->listen_to(socket); !done) {
    return tl::unexpected<Error>(std::move(done.error()));
  }
  listeners_.push_back(std::move(made->socket));
  return socket;
}

Result<UsedPorts> Ports::used() const {
  auto used = read_used_ports();
  if (!used) return used;
  for (const std::uint16_t port : left_) {
    UsedPorts::set(used->tcp, port);
    UsedPorts::set(used->udp, port);
  }
  return used;
}

// Where it cannot be told what is in use, that stays which was last.
void Ports::look_again() {
  const auto used = this->used();
  if (used) {
    steering_->leave(*used);
  } else {
    ++tables_unread_;
    if (could_read_) {
      log_error("Home leaves the ports that it left, and no newer: " + used.error().message());
    }
  }
  could_read_ = used.has_value();
}

Result<std::unique_ptr<Receiver>> Ports::open(const HomeSettings& settings) {
  if (!settings.all_ports) return std::unique_ptr<Receiver>{};
  std::unique_ptr<Ports> ports(new Ports(settings.ports_left));
  auto visitors = TcpVisitors::make(allowed_connections(settings.most_connections, "home"));
  if (!visitors) return tl::unexpected<Error>(std::move(visitors.error()));
  ports->visitors_ = std::move(*visitors);
  auto answers = AnswerSocket::open();
  if (!answers) return tl::unexpected<Error>(std::move(answers.error()));
  ports->answers_ = std::make_unique<AnswerSocket>(std::move(*answers));
  PortSteering::Sockets sockets;
  for (const int family : {AF_INET, AF_INET6}) {
    auto listener = ports->listen(family);
    auto datagrams = Datagrams::open(family);
    if (!listener || !datagrams) {
      const Error& error = !listener ? listener.error() : datagrams.error();
      if (family == AF_INET) return tl::unexpected<Error>(error);
      log_info("Home takes no ports of IPv6: " + error.message());
      continue;
    }
    (family == AF_INET ? sockets.tcp4 : sockets.tcp6) = *listener;
    (family == AF_INET ? sockets.udp4 : sockets.udp6) = (*datagrams)->descriptor();
    ports->datagrams_.push_back(std::move(*datagrams));
  }
  const auto used = ports->used();
  if (!used) return tl::unexpected<Error>(used.error());
  auto steering = PortSteering::attach(sockets, *used);
  if (!steering) return tl::unexpected<Error>(std::move(steering.error()));
  ports->steering_ = std::move(*steering);
  return ports;
}

}  // namespace

namespace receivers {
extern constinit const ReceiverKind ports{.name = "ports", .open = Ports::open};
}
}  // namespace beaconry
