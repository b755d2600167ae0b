#pragma once
#include <chrono>
#include <cstddef>
#include <optional>
#include <unordered_map>

#include "base/ip_address.h"

namespace beaconry {

// What one client, by address (IPv6: by /64), may have at once and ask for a second. One thread.
class ClientLimits {
 public:
  using Clock = std::chrono::steady_clock;

  // 0: no limit. At most `most_clients` have a place: past it those without connections and with a
  // full bucket lose theirs, and where there are none, strangers share one.
  ClientLimits(std::size_t most_connections, double requests_a_second,
               std::size_t most_clients = 65'536);

  // The place that the connection has taken, for disconnect(); nothing: refused. Loopback has no
  // limit here.
  std::optional<IpAddress> connect(const IpAddress& address, Clock::time_point now);
  void disconnect(const IpAddress& place);
  // How long to wait before asking again; zero: the request is taken. Loopback has no limit.
  std::chrono::seconds request(const IpAddress& address, Clock::time_point now);

 private:
  struct Client {
    std::size_t connections = 0;
    double tokens = 0;
    Clock::time_point filled;
  };
  struct Hash {
    std::size_t operator()(const IpAddress& address) const;
  };
  IpAddress place_of(const IpAddress& address, Clock::time_point now);
  double tokens_at(const Client& client, Clock::time_point now) const;
  void forget(Clock::time_point now);

  const std::size_t most_connections_;
  const double rate_, burst_;
  const std::size_t most_clients_;
  std::unordered_map<IpAddress, Client, Hash> clients_;
  Clock::time_point forgot_;
};

}  // namespace beaconry
