#include "source/simulate/machines.h"

#include <algorithm>
#include <cmath>

namespace beaconry::simulate {
namespace {

const std::vector<Host>& crowd_of(const SimulatedNetwork& network, Crowd crowd) {
  switch (crowd) {
    case Crowd::devices:
      return network.devices.empty() ? network.workstations : network.devices;
    case Crowd::servers:
      return network.servers;
    case Crowd::workstations:
      break;
  }
  return network.workstations;
}

void note_address(TruthPair& truth, const IpAddress& address) {
  auto& known = truth.addresses;
  if (std::find(known.begin(), known.end(), address) == known.end()) known.push_back(address);
}

// When a page that refreshes itself is open.
std::vector<std::pair<Timestamp, Timestamp>> sittings(const Traffic& traffic, const Host& host,
                                                      double hours, Random& random) {
  std::vector<std::pair<Timestamp, Timestamp>> all;
  for (auto day = std::chrono::floor<std::chrono::days>(traffic.start); day < traffic.end;
       day += std::chrono::days{1}) {
    double hour = host.from_hour + random.uniform(0, 1);
    const int count = random.between(1, 3);
    for (int i = 0; i < count && hour < host.to_hour; ++i) {
      const double length = random.log_normal(hours, 0.5);
      all.emplace_back(day + from_seconds(hour * 3600), day + from_seconds((hour + length) * 3600));
      hour += length + random.log_normal(1, 0.5);
    }
  }
  return all;
}

void run_client(SimulatedNetwork& network, const MachinePlan& plan, const Host& host,
                const Server& server, Random random) {
  Traffic& traffic = network.traffic;
  TruthPair truth;
  truth.label = TruthLabel::benign_periodic;
  truth.group = plan.group;
  truth.model = plan.model;
  truth.name = server.name;
  Sleeper sleeper(plan.model, random.fork(1));
  const auto run = [&](Timestamp time, Timestamp until, bool mind_hours) {
    while (time < until && time < traffic.end) {
      if (mind_hours) {
        const Timestamp on = host.next_on(time);
        if (on > time) {
          time = on + from_seconds(random.uniform(0, plan.model.sleep_seconds));
          continue;
        }
      }
      Exchange exchange;
      exchange.bytes_out = plan.bytes_out * random.log_normal(1, plan.size_sigma);
      exchange.bytes_in = plan.bytes_in * random.log_normal(1, plan.size_sigma);
      exchange.seconds = plan.busy_seconds * random.log_normal(1, 0.3);
      if (const SimulatedFlow* flow =
              traffic.connect(host.address, server, time, exchange, random)) {
        ++truth.check_ins;
        note_address(truth, flow->destination);
      }
      time = sleeper.wake(time + from_seconds(exchange.seconds));
    }
  };
  if (plan.sitting_hours > 0) {
    for (const auto& [from, until] : sittings(traffic, host, plan.sitting_hours, random)) {
      run(from, until, false);
    }
  } else {
    run(traffic.start + from_seconds(random.uniform(0, plan.model.sleep_seconds)), traffic.end,
        plan.only_while_on);
  }
  if (truth.check_ins < 2) return;
  truth.pair = server.pair_of(host.address, truth.addresses.front());
  traffic.truth.push_back(std::move(truth));
}

std::vector<std::size_t> shuffled(std::size_t count, Random& random) {
  std::vector<std::size_t> order(count);
  for (std::size_t i = 0; i < count; ++i)
    order[i] = i;
  for (std::size_t i = count; i > 1; --i)
    std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

}  // namespace

std::vector<MachinePlan> usual_machines() {
  using K = SleepKind;
  std::vector<MachinePlan> plans;
  const auto add = [&plans](const char* group, double clients, SleepModel model) -> MachinePlan& {
    plans.emplace_back();
    plans.back().group = group;
    plans.back().clients_at_800 = clients;
    plans.back().model = model;
    return plans.back();
  };
  add("telemetry", 145, {K::around, 300, 0.05}).addresses = 2;
  add("telemetry-slow", 110, {K::cobalt_strike, 900, 0.15}).size_sigma = 0.25;
  {
    MachinePlan& mail = add("mail", 120, {K::fixed, 120, 0});
    mail.port = 993;
    mail.servers = 2;
    mail.bytes_out = 350;
    mail.size_sigma = 0.02;
  }
  {
    MachinePlan& ntp = add("ntp", 150, {K::fixed, 1024, 0});
    ntp.port = 123;
    ntp.protocol = Protocol::udp;
    ntp.service = Service::ntp;
    ntp.servers = 4;
    ntp.bytes_out = ntp.bytes_in = 48;
    ntp.size_sigma = 0;
    ntp.busy_seconds = 0.02;
  }
  {
    MachinePlan& page = add("page-refresh", 45, {K::fixed, 60, 0});
    page.servers = 3;
    page.sitting_hours = 1.5;
    page.bytes_in = 9000;
    page.size_sigma = 0.15;
  }
  {
    MachinePlan& push = add("push", 110, {K::around, 420, 0.1});
    push.port = 5228;
    push.addresses = 3;
    push.bytes_out = 250;
    push.bytes_in = 180;
  }
  {
    MachinePlan& update = add("update-check", 110, {K::around, 3600, 0.05});
    update.servers = 2;
    update.bytes_in = 4000;
  }
  {
    MachinePlan& cloud = add("device-cloud", 45, {K::around, 180, 0.05});
    cloud.crowd = Crowd::devices;
    cloud.servers = 2;
    cloud.port = 8883;
    cloud.bytes_out = 220;
    cloud.bytes_in = 90;
  }
  {
    MachinePlan& antivirus = add("antivirus", 110, {K::around, 1800, 0.2});
    antivirus.port = 80;
    antivirus.service = Service::http;
    antivirus.bytes_in = 2500;
    antivirus.size_sigma = 0.3;
  }
  {
    MachinePlan& directory = add("directory", 90, {K::around, 600, 0.1});
    directory.internal = true;
    directory.servers = 2;
    directory.port = 389;
    directory.service = Service::ldap;
    directory.bytes_out = 1500;
    directory.bytes_in = 3200;
  }
  {
    MachinePlan& tickets = add("kerberos", 50, {K::fixed, 900, 0});
    tickets.internal = true;
    tickets.servers = 2;
    tickets.port = 88;
    tickets.service = Service::kerberos;
  }
  {
    MachinePlan& backup = add("backup", 30, {K::clock_locked, 3600, 0});
    backup.internal = true;
    backup.crowd = Crowd::servers;
    backup.port = 10000;
    backup.service = Service::none;
    backup.bytes_out = 4e6;
    backup.size_sigma = 1.2;
    backup.busy_seconds = 90;
  }
  return plans;
}

void machines(SimulatedNetwork& network, const std::vector<MachinePlan>& plans, int hosts,
              Random random) {
  std::uint64_t tag = 0;
  for (const MachinePlan& plan : plans) {
    Random own = random.fork(++tag);
    const auto& crowd = crowd_of(network, plan.crowd);
    std::vector<Server> servers;
    for (int i = 0; i < std::max(1, plan.servers); ++i) {
      servers.push_back(
          plan.internal
              ? network.internal_server(plan.port, plan.protocol, plan.service)
              : network.internet_server(plan.addresses, plan.port, plan.protocol, plan.service));
      if (plan.service == Service::ntp) servers.back().name = kNoName;
    }
    const auto wanted = static_cast<std::size_t>(
        std::max(plan.least_clients, std::round(plan.clients_at_800 * hosts / 800)));
    const auto order = shuffled(crowd.size(), own);
    for (std::size_t i = 0; i < std::min(wanted, crowd.size()); ++i) {
      run_client(network, plan, crowd[order[i]], servers[i % servers.size()], own.fork(i + 1));
    }
  }
}

void monitors(SimulatedNetwork& network, const std::vector<MonitorPlan>& plans, int hosts,
              Random random) {
  std::vector<const Host*> all;
  for (const auto* group : {&network.servers, &network.devices, &network.workstations}) {
    for (const Host& host : *group) {
      if (host.always_on && host.address.is_v4()) all.push_back(&host);
    }
  }
  std::uint64_t tag = 0;
  for (const MonitorPlan& plan : plans) {
    Random own = random.fork(++tag);
    Host poller;
    poller.address = network.internal_server(0, Protocol::tcp, Service::none).addresses.front();
    poller.always_on = true;
    MachinePlan poll;
    poll.group = "monitoring";
    poll.model = {SleepKind::fixed, plan.period_seconds, 0};
    poll.bytes_out = 180;
    poll.bytes_in = 2400;
    const auto wanted = static_cast<std::size_t>(std::max(2, scaled(plan.targets_at_800, hosts)));
    for (std::size_t i = 0; i < std::min(wanted, all.size()); ++i) {
      Server target;
      target.addresses = {all[i]->address};
      target.port = plan.port;
      target.protocol = plan.protocol;
      target.service = Service::none;
      run_client(network, poll, poller, target, own.fork(i + 1));
    }
  }
}

}  // namespace beaconry::simulate
