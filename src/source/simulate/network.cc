#include "source/simulate/network.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace beaconry::simulate {
namespace {

constexpr std::uint32_t kInternetFrom = (198U << 24) | (18U << 16);  // 198.18.0.0/15
constexpr std::uint32_t kInternetSize = 1U << 17;

std::uint32_t ten(std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return (10U << 24) | (b << 16) | (c << 8) | d;
}

IpAddress v6(std::uint16_t first, std::uint16_t second, std::uint32_t last) {
  std::uint8_t bytes[16] = {};
  bytes[0] = static_cast<std::uint8_t>(first >> 8);
  bytes[1] = static_cast<std::uint8_t>(first);
  bytes[2] = static_cast<std::uint8_t>(second >> 8);
  bytes[3] = static_cast<std::uint8_t>(second);
  for (int i = 0; i < 4; ++i) {
    bytes[12 + i] = static_cast<std::uint8_t>(last >> (8 * (3 - i)));
  }
  return IpAddress::v6_bytes(bytes);
}

std::string numbered(const char* stem, std::size_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "%s%03zu", stem, number);
  return text;
}

}  // namespace

int scaled(double count_at_800, int hosts) {
  return static_cast<int>(std::lround(count_at_800 * hosts / 800));
}

Timestamp Host::next_on(Timestamp time) const {
  if (always_on) return time;
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const double hour = to_seconds(time - day) / 3600;
  if (hour < from_hour) return day + from_seconds(from_hour * 3600);
  if (hour < to_hour) return time;
  return day + std::chrono::days{1} + from_seconds(from_hour * 3600);
}

SimulatedNetwork::SimulatedNetwork(Traffic& owner, int hosts, Random random)
    : traffic(owner), random_(random) {
  const int device_count = hosts / 12;
  const int server_count = std::max(2, hosts / 25);
  const int public_count = std::max(1, hosts / 40);
  const int workstation_count = std::max(1, hosts - device_count - server_count - public_count);
  for (int i = 0; i < workstation_count; ++i) {
    Host host;
    const auto n = static_cast<std::uint32_t>(i);
    // One in twenty speaks IPv6.
    host.address =
        i % 20 == 13 ? v6(0xfd12, 0x20, n + 10) : IpAddress::v4(ten(20, n / 200, 10 + n % 200));
    host.name = numbered("pc", static_cast<std::size_t>(i) + 1);
    host.always_on = random_.chance(0.25);
    host.from_hour = std::clamp(random_.normal(8.2, 0.8), 5.0, 11.0);
    host.to_hour = std::clamp(random_.normal(17.8, 1.2), 14.0, 23.0);
    workstations.push_back(host);
    traffic.host_names.push_back({host.address, host.name});
  }
  const auto fill = [](std::vector<Host>& into, int count, std::uint32_t net, const char* stem) {
    for (int i = 0; i < count; ++i) {
      Host host;
      const auto n = static_cast<std::uint32_t>(i);
      host.address = IpAddress::v4(ten(net, n / 200, 10 + n % 200));
      host.name = numbered(stem, static_cast<std::size_t>(i) + 1);
      host.always_on = true;
      into.push_back(host);
    }
  };
  fill(devices, device_count, 30, "dev");
  fill(servers, server_count, 10, "srv");
  fill(public_servers, public_count, 40, "www");
  traffic.dhcp_server = IpAddress::v4(ten(10, 250, 2));

  for (int i = 0; i < 2; ++i)
    resolvers.push_back(internal_server(53, Protocol::udp, Service::dns));

  const int site_count = std::max(30, hosts * 4);
  for (int i = 0; i < site_count; ++i) {
    const bool plain = random_.chance(0.06);
    sites.push_back(internet_server(random_.chance(0.3) ? 2 : 1, plain ? 80 : 443, Protocol::tcp,
                                    plain ? Service::http : Service::tls));
  }
  const int third_party_count = std::max(12, hosts / 6);
  for (int i = 0; i < third_party_count; ++i) {
    Server server = internet_server(random_.between(1, i < 12 ? 6 : 3));
    server.rotation = from_seconds(random_.log_uniform(3 * 3600, 24 * 3600));
    if (random_.chance(0.15)) {
      server.protocol = Protocol::udp;
      server.service = Service::quic;
    }
    third_parties.push_back(server);
  }
}

IpAddress SimulatedNetwork::internet_address() {
  for (;;) {
    const auto draw = static_cast<std::uint32_t>(random_.below(kInternetSize));
    if (draw % 256 == 0 || draw % 256 == 255) continue;
    // A large simulation may use every address once; from then on addresses are shared.
    if (!used_.insert(draw).second && used_.size() < kInternetSize / 2) continue;
    return IpAddress::v4(kInternetFrom + draw);
  }
}

std::string SimulatedNetwork::domain() {
  static constexpr const char* kStarts[] = {"va",  "le",  "ko",  "mi",  "tu",  "ra",  "ne", "so",
                                            "bri", "cla", "dor", "fen", "gal", "hel", "jo", "kin"};
  static constexpr const char* kMiddles[] = {"lo", "ri", "ta",  "ne",  "mo",  "va", "di",  "su",
                                             "be", "ca", "gra", "pho", "sti", "zu", "wen", "ya"};
  static constexpr const char* kEnds[] = {"ra",  "nix",  "dio",  "tec", "lab", "sys",
                                          "net", "mart", "zon",  "ly",  "via", "port",
                                          "hub", "ware", "cast", "line"};
  for (;;) {
    std::string text = kStarts[random_.below(16)];
    text += kMiddles[random_.below(16)];
    if (random_.chance(0.5)) text += kMiddles[random_.below(16)];
    text += kEnds[random_.below(16)];
    if (domains_.size() > 30'000) text += std::to_string(domains_.size());
    text += ".example";
    if (domains_.insert(text).second) return text;
  }
}

std::string SimulatedNetwork::host_name() {
  static constexpr const char* kRoles[] = {"www", "api", "cdn", "static",
                                           "app", "img", "m",   "edge"};
  std::string text = kRoles[random_.below(8)];
  text += '.';
  return text + domain();
}

Server SimulatedNetwork::internet_server(int addresses, std::uint16_t port, Protocol protocol,
                                         Service service) {
  Server server;
  for (int i = 0; i < addresses; ++i)
    server.addresses.push_back(internet_address());
  server.name = traffic.add_name(host_name());
  server.port = port;
  server.protocol = protocol;
  server.service = service;
  return server;
}

Server SimulatedNetwork::internal_server(std::uint16_t port, Protocol protocol, Service service) {
  Server server;
  const std::uint32_t n = internal_servers_++;
  server.addresses.push_back(IpAddress::v4(ten(10, 200 + n / 200, 10 + n % 200)));
  server.port = port;
  server.protocol = protocol;
  server.service = service;
  return server;
}

}  // namespace beaconry::simulate
