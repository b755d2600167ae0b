#include "source/simulate/implant.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace beaconry::simulate {
namespace {

using std::chrono::days;

Server make_server(SimulatedNetwork& network, const ImplantPlan& plan, Random& random) {
  const int count = std::max(1, plan.addresses);
  Server server;
  switch (plan.channel) {
    case Channel::https:
      server = network.internet_server(count);
      break;
    case Channel::https_nameless:
      server = network.internet_server(count);
      server.name = kNoName;
      break;
    case Channel::http:
      server = network.internet_server(count, 80, Protocol::tcp, Service::http);
      break;
    case Channel::raw: {
      static constexpr std::uint16_t kPorts[] = {4444, 8080, 8443, 1337, 6667, 5552, 9001, 2222};
      server =
          network.internet_server(count, kPorts[random.below(8)], Protocol::tcp, Service::none);
      server.name = kNoName;
      break;
    }
    case Channel::dns:
      server = network.resolvers[random.below(network.resolvers.size())];
      server.name = network.traffic.add_name(network.domain());
      break;
    case Channel::fronted:
      server =
          network
              .third_parties[random.below(std::min<std::size_t>(network.third_parties.size(), 40))];
      server.protocol = Protocol::tcp;
      server.service = Service::tls;
      break;
  }
  // A rotating implant takes another address every few check-ins.
  if (count > 1) {
    server.rotation = from_seconds(plan.model.sleep_seconds * random.uniform(1, 12));
  }
  return server;
}

// One victim's loop.
class Infection {
 public:
  Infection(SimulatedNetwork& network, const ImplantPlan& plan, const Server& server,
            const Host& host, Random random)
      : network_(network), plan_(plan), server_(server), host_(host), random_(random) {
    truth_.name = server.service == Service::none ? kNoName : server.name;
    truth_.group = plan.group;
    truth_.model = plan.model;
  }

  void run() {
    loop(plan_.model, 1);
    if (plan_.has_second) loop(plan_.second_model, 2);
    if (truth_.check_ins == 0) return;
    truth_.pair = server_.pair_of(host_.address, truth_.addresses.front());
    network_.traffic.truth.push_back(truth_);
  }

 private:
  void loop(const SleepModel& model, std::uint64_t tag) {
    Sleeper sleeper(model, random_.fork(tag));
    const Traffic& traffic = network_.traffic;
    Timestamp time =
        traffic.start + from_seconds(random_.uniform(0, std::min(model.sleep_seconds, 3600.0)));
    const double stint_phase = random_.uniform(0, 1);
    while (time < traffic.end) {
      const Timestamp on = next_active(time, stint_phase);
      if (on > time) {
        time = on + from_seconds(random_.uniform(0, std::min(model.sleep_seconds, 600.0)));
        continue;
      }
      double busy = 0;
      if (!random_.chance(plan_.loss)) busy = check_in(time);
      // The program sleeps once it has its answer.
      time = sleeper.wake(time + from_seconds(busy));
    }
  }

  Timestamp next_active(Timestamp time, double phase) const {
    if (plan_.from_hour != plan_.to_hour) {
      const auto day = std::chrono::floor<days>(time);
      const double hour = to_seconds(time - day) / 3600;
      if (hour < plan_.from_hour) return day + from_seconds(plan_.from_hour * 3600);
      if (hour >= plan_.to_hour) return day + days{1} + from_seconds(plan_.from_hour * 3600);
    }
    if (plan_.stint_hours_on > 0) {
      const double cycle = (plan_.stint_hours_on + plan_.stint_hours_off) * 3600;
      const double at = to_seconds(time - network_.traffic.start) + phase * cycle;
      const double within = std::fmod(at, cycle);
      if (within >= plan_.stint_hours_on * 3600) return time + from_seconds(cycle - within);
    }
    return time;
  }

  double check_in(Timestamp time) {
    const int connections = random_.between(plan_.burst_least, plan_.burst_most);
    double busy = 0;
    for (int i = 0; i < connections; ++i) {
      Exchange exchange;
      exchange.seconds = random_.log_normal(0.14, 0.35);
      const double spread = plan_.size_sigma > 0 ? random_.log_normal(1, plan_.size_sigma) : 1;
      exchange.bytes_out = plan_.bytes_out * spread;
      exchange.bytes_in = plan_.bytes_in;
      if (plan_.size_sigma > 0) exchange.bytes_in *= random_.log_normal(1, plan_.size_sigma);
      if (random_.chance(plan_.task_chance)) {
        (random_.chance(0.7) ? exchange.bytes_in : exchange.bytes_out) +=
            random_.log_uniform(5e3, 5e6);
        exchange.seconds += random_.uniform(0.5, 8);
      }
      visit(time + from_seconds(busy), exchange);
      busy += exchange.seconds * random_.uniform(0.3, 1);
    }
    if (time < network_.traffic.end) ++visits_;
    return busy;
  }

  void visit(Timestamp time, const Exchange& exchange) {
    Traffic& traffic = network_.traffic;
    if (plan_.channel != Channel::dns) {
      count(traffic.connect(host_.address, server_, time, exchange, random_));
      return;
    }
    Server query = server_;
    query.name =
        traffic.add_name(uid_of(random_.next()).substr(1, 12) + "." + traffic.names[server_.name]);
    query.service = Service::dns;
    SimulatedFlow* flow = traffic.connect(host_.address, query, time,
                                          {plan_.bytes_out / 6, plan_.bytes_in / 2, 0.03}, random_);
    if (flow != nullptr) flow->answer = IpAddress::v4(0x0a000001);
    count(flow);
  }

  void count(SimulatedFlow* flow) {
    if (flow == nullptr) return;
    flow->truth = static_cast<std::uint32_t>(network_.traffic.truth.size());
    flow->check_in = visits_;
    truth_.check_ins = visits_ + 1;
    auto& known = truth_.addresses;
    if (std::find(known.begin(), known.end(), flow->destination) == known.end()) {
      known.push_back(flow->destination);
    }
  }

  SimulatedNetwork& network_;
  const ImplantPlan& plan_;
  const Server server_;
  const Host& host_;
  Random random_;
  TruthPair truth_;
  std::uint32_t visits_ = 0;
};

std::optional<double> parse_share(std::string_view text) {
  const bool percent = !text.empty() && text.back() == '%';
  if (percent) text.remove_suffix(1);
  const std::optional<double> value = parse_number(text);
  if (!value) return std::nullopt;
  const double share = percent ? *value / 100 : *value;
  return share >= 0 && share <= 1 ? std::optional(share) : std::nullopt;
}

std::optional<Channel> parse_channel(std::string_view text) {
  if (text == "https") return Channel::https;
  if (text == "https-nameless") return Channel::https_nameless;
  if (text == "http") return Channel::http;
  if (text == "raw") return Channel::raw;
  if (text == "dns") return Channel::dns;
  if (text == "fronted") return Channel::fronted;
  return std::nullopt;
}

// Splits "a/b" into two numbers by `parse`.
template <class Parse>
bool parse_two(std::string_view text, char separator, Parse parse, double& a, double& b) {
  const auto parts = split(text, separator);
  if (parts.size() != 2) return false;
  const std::optional<double> first = parse(parts[0]), second = parse(parts[1]);
  if (!first || !second || *first < 0 || *second < 0) return false;
  a = *first;
  b = *second;
  return true;
}

std::optional<int> parse_count(std::string_view text) {
  const auto value = parse_unsigned(text);
  if (!value || *value == 0 || *value > 64) return std::nullopt;
  return static_cast<int>(*value);
}

bool apply(std::string_view key, std::string_view value, ImplantPlan& plan) {
  if (key == "loss") {
    const auto share = parse_share(value);
    if (share) plan.loss = *share;
    return share && *share < 1;
  }
  if (key == "stints") {
    if (!parse_two(value, '/', parse_duration_seconds, plan.stint_hours_on, plan.stint_hours_off)) {
      return false;
    }
    plan.stint_hours_on /= 3600;
    plan.stint_hours_off /= 3600;
    return plan.stint_hours_on > 0;
  }
  if (key == "hours") {
    return parse_two(value, '-', parse_number, plan.from_hour, plan.to_hour) &&
           plan.from_hour < plan.to_hour && plan.to_hour <= 24;
  }
  if (key == "second") {
    const auto sleep = parse_duration_seconds(value);
    plan.has_second = sleep && *sleep > 0;
    if (plan.has_second) plan.second_model = {plan.model.kind, *sleep, plan.model.jitter};
    return plan.has_second;
  }
  if (key == "channel") {
    const auto channel = parse_channel(value);
    if (channel) plan.channel = *channel;
    return channel.has_value();
  }
  if (key == "sizes") {
    plan.size_sigma = value == "varying" ? 0.4 : 0;
    return value == "varying" || value == "constant";
  }
  const auto count = parse_count(value);
  if (!count) return false;
  if (key == "burst") {
    plan.burst_least = plan.burst_most = *count;
  } else if (key == "rotate") {
    plan.addresses = *count;
  } else if (key == "victims") {
    plan.victims = *count;
  } else {
    return false;
  }
  return true;
}

}  // namespace

Result<ImplantPlan> parse_implant(std::string_view text) {
  const auto wrong = [text](std::string cause) {
    return fail(ErrorKind::usage, "read implant", terminal_safe(text), std::move(cause));
  };
  const auto parts = split(text, ':');
  if (parts.size() < 2) return wrong("want KIND:SLEEP[:JITTER%][:KEY=VALUE...]");
  ImplantPlan plan;
  const auto kind = parse_sleep_kind(parts[0]);
  if (!kind) {
    return wrong(
        "the kind is one of fixed, cobalt-strike, sliver, havoc, empire, poshc2, njrat, dns, cron");
  }
  plan.model.kind = *kind;
  plan.group = parts[0];
  if (parts[0] == "dns") plan.channel = Channel::dns;
  if (parts[0] == "njrat") plan.channel = Channel::raw;
  const auto sleep = parse_duration_seconds(parts[1]);
  if (!sleep || *sleep < 0.1) return wrong("the sleep is a time such as 60s, 5m or 1h");
  plan.model.sleep_seconds = *sleep;
  std::size_t at = 2;
  if (at < parts.size() && parts[at].find('=') == std::string_view::npos) {
    const auto jitter = parse_share(parts[at]);
    if (!jitter) return wrong("the jitter is a share from 0% to 100%");
    plan.model.jitter = *jitter;
    ++at;
  }
  for (; at < parts.size(); ++at) {
    const std::size_t equals = parts[at].find('=');
    if (equals == std::string_view::npos ||
        !apply(parts[at].substr(0, equals), parts[at].substr(equals + 1), plan)) {
      return wrong("cannot take '" + terminal_safe(parts[at]) +
                   "'; known: loss=30% stints=6h/2h hours=8-18 burst=3 rotate=8 victims=2 "
                   "channel=https|https-nameless|http|raw|dns|fronted sizes=varying second=5m");
    }
  }
  return plan;
}

void infect(SimulatedNetwork& network, const ImplantPlan& plan, Random random) {
  const Server server = make_server(network, plan, random);
  const auto& hosts = network.workstations;
  const std::size_t first = random.below(hosts.size());
  for (int i = 0; i < std::max(1, plan.victims); ++i) {
    const Host& host = hosts[(first + static_cast<std::size_t>(i) * 7) % hosts.size()];
    Infection(network, plan, server, host, random.fork(static_cast<std::uint64_t>(i) + 1)).run();
  }
}

}  // namespace beaconry::simulate
