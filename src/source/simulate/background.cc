#include "source/simulate/background.h"

#include <algorithm>

namespace beaconry::simulate {
namespace {

// Programs that talk when something happens: alike in size, at moments without memory.
void random_pairs(SimulatedNetwork& network, int count, Random random) {
  Traffic& traffic = network.traffic;
  const double window = to_seconds(traffic.end - traffic.start);
  for (int i = 0; i < count; ++i) {
    Random own = random.fork(static_cast<std::uint64_t>(i) + 1);
    const bool internal = own.chance(0.45);
    const bool busy = own.chance(0.09);
    static constexpr std::uint16_t kInside[] = {445, 135, 3268, 8080, 22, 3389, 9200, 5432};
    Server server =
        internal ? network.internal_server(kInside[own.below(8)], Protocol::tcp, Service::none)
                 : network.internet_server(1);
    if (!internal && own.chance(0.25)) server.name = kNoName;
    const auto& hosts = own.chance(0.3) ? network.servers : network.workstations;
    const Host& host = hosts[own.below(hosts.size())];
    const double mean = busy ? own.log_uniform(120, 1800) : own.log_uniform(1800, 30000);
    const double from = busy ? 0 : own.uniform(0, 0.8) * window;
    const double length = busy ? window : own.uniform(0.1, 1) * window;
    const double sigma = own.chance(0.15) ? 0.02 : own.uniform(0.2, 1.4);
    const double size = own.log_uniform(200, 8000);
    for (double at = from + own.exponential(mean); at < std::min(window, from + length);
         at += own.exponential(mean)) {
      traffic.connect(host.address, server, traffic.start + from_seconds(at),
                      {size * own.log_normal(1, sigma), size * own.log_normal(2, sigma + 0.2),
                       own.log_normal(0.8, 1)},
                      own);
    }
  }
}

void scanners(SimulatedNetwork& network, int count, Random random) {
  Traffic& traffic = network.traffic;
  const double window = to_seconds(traffic.end - traffic.start);
  static constexpr std::uint16_t kPorts[] = {22, 23, 80, 443, 445, 3389, 8080, 5900, 6379, 25};
  for (int i = 0; i < count; ++i) {
    Random own = random.fork(static_cast<std::uint64_t>(i) + 1);
    Server target;
    const IpAddress scanner = network.internet_address();
    target.service = Service::none;
    const int rounds = own.between(1, 3);
    for (int round = 0; round < rounds; ++round) {
      target.port = kPorts[own.zipf(10, 0.8)];
      double at = own.uniform(0, window);
      const double pause = own.log_uniform(0.005, 2);
      for (const auto* group : {&network.public_servers, &network.servers}) {
        for (const Host& host : *group) {
          at += own.exponential(pause);
          if (own.chance(0.25)) continue;
          target.addresses = {host.address};
          const bool open = target.port == 443 || target.port == 80;
          Exchange exchange;
          exchange.ending = open              ? Ending::reset
                            : own.chance(0.4) ? Ending::rejected
                                              : Ending::unanswered;
          exchange.bytes_out = open ? own.uniform(20, 300) : 0;
          exchange.bytes_in = open ? own.uniform(100, 900) : 0;
          exchange.seconds = open ? 0.3 : 0.001;
          traffic.connect(scanner, target, traffic.start + from_seconds(at), exchange, own);
        }
      }
    }
  }
}

void visitors(SimulatedNetwork& network, int count, Random random) {
  Traffic& traffic = network.traffic;
  const double window = to_seconds(traffic.end - traffic.start);
  std::vector<NameId> names;
  for (std::size_t i = 0; i < network.public_servers.size(); ++i) {
    names.push_back(traffic.add_name(network.host_name()));
  }
  for (int i = 0; i < count; ++i) {
    Random own = random.fork(static_cast<std::uint64_t>(i) + 1);
    const std::size_t which = own.zipf(network.public_servers.size(), 0.7);
    Server server;
    server.addresses = {network.public_servers[which].address};
    server.name = names[which];
    const IpAddress visitor = network.internet_address();
    const int visits = static_cast<int>(own.pareto(1, 1.4, 6));
    for (int visit = 0; visit < visits; ++visit) {
      double at = own.uniform(0, window);
      const int pages = static_cast<int>(own.pareto(1, 1.2, 20));
      for (int page = 0; page < pages; ++page) {
        traffic.connect(
            visitor, server, traffic.start + from_seconds(at),
            {own.log_normal(1500, 0.8), own.log_normal(20000, 1.4), own.log_normal(6, 1)}, own);
        at += own.pareto(4, 1, 900);
      }
    }
  }
}

}  // namespace

void background(SimulatedNetwork& network, const BackgroundPlan& plan, int hosts, Random random) {
  random_pairs(network, scaled(plan.random_pairs_at_800, hosts), random.fork(1));
  scanners(network, scaled(plan.scanners_at_800, hosts), random.fork(2));
  visitors(network, scaled(plan.visitors_at_800, hosts), random.fork(3));
}

}  // namespace beaconry::simulate
