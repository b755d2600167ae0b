#include "http/client_limits.h"

#include <algorithm>
#include <cmath>

namespace beaconry {
namespace {

constexpr double kBurstSeconds = 10;
const IpAddress kShared = IpAddress::v4(0xffffffff);  // nobody's own

// Whoever has one IPv6 address has its /64.
IpAddress client_of(const IpAddress& address) {
  return address.is_v4() ? address : address.masked(64);
}

}  // namespace

std::size_t ClientLimits::Hash::operator()(const IpAddress& address) const {
  std::uint64_t mixed = (address.high() * 0x9e3779b97f4a7c15U) ^ address.low();
  mixed = (mixed ^ (mixed >> 32)) * 0xd6e8feb86659fd93U;
  return static_cast<std::size_t>(mixed ^ (mixed >> 32));
}

ClientLimits::ClientLimits(std::size_t most_connections, double requests_a_second,
                           std::size_t most_clients)
    : most_connections_(most_connections),
      rate_(requests_a_second),
      burst_(std::max(1.0, requests_a_second * kBurstSeconds)),
      most_clients_(most_clients) {}

std::optional<IpAddress> ClientLimits::connect(const IpAddress& address, Clock::time_point now) {
  if (most_connections_ == 0 || address.is_loopback()) return IpAddress{};
  const IpAddress place = place_of(address, now);
  Client& client = clients_.at(place);
  if (client.connections >= most_connections_) return std::nullopt;
  ++client.connections;
  return place;
}

void ClientLimits::disconnect(const IpAddress& place) {
  const auto found = clients_.find(place);
  if (place == IpAddress{} || found == clients_.end()) return;
  --found->second.connections;
  if (found->second.connections == 0 && rate_ == 0) clients_.erase(found);
}

std::chrono::seconds ClientLimits::request(const IpAddress& address, Clock::time_point now) {
  if (rate_ == 0 || address.is_loopback()) return std::chrono::seconds{0};
  Client& client = clients_.at(place_of(address, now));
  client.tokens = tokens_at(client, now);
  client.filled = now;
  if (client.tokens >= 1) {
    client.tokens -= 1;
    return std::chrono::seconds{0};
  }
  const double wait = std::ceil((1 - client.tokens) / rate_);
  return std::chrono::seconds{static_cast<std::int64_t>(std::clamp(wait, 1.0, 3600.0))};
}

IpAddress ClientLimits::place_of(const IpAddress& address, Clock::time_point now) {
  const IpAddress own = client_of(address);
  if (clients_.contains(own)) return own;
  if (clients_.size() >= most_clients_) forget(now);
  const IpAddress place = clients_.size() >= most_clients_ ? kShared : own;
  clients_.try_emplace(place, Client{0, burst_, now});
  return place;
}

double ClientLimits::tokens_at(const Client& client, Clock::time_point now) const {
  const std::chrono::duration<double> passed = now - client.filled;
  return std::min(burst_, client.tokens + passed.count() * rate_);
}

void ClientLimits::forget(Clock::time_point now) {
  if (now - forgot_ < std::chrono::seconds{1}) return;  // it looks at all of them
  forgot_ = now;
  std::erase_if(clients_, [&](const auto& entry) {
    return entry.second.connections == 0 && tokens_at(entry.second, now) >= burst_;
  });
}

}  // namespace beaconry
