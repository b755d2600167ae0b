#include "source/simulate/people.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <cmath>

namespace beaconry::simulate {
namespace {

using std::chrono::days;

// What one person does on one day.
class Person {
 public:
  Person(SimulatedNetwork& network, const PeoplePlan& plan, const Host& host, Random random)
      : network_(network), plan_(plan), host_(host), random_(random) {
    // Everybody has favourites and mostly returns to them.
    for (int i = 0; i < 12; ++i) {
      favourites_.push_back(random_.zipf(network_.sites.size(), 0.95));
    }
    fileserver_ =
        network_.servers[random_.below(std::min<std::size_t>(network_.servers.size(), 6))];
    zeal_ = plan.activity * random_.log_normal(1, 0.6);
    chats_ = random_.chance(plan.chat_share);
    syncs_ = random_.chance(plan.sync_share);
    chat_ = network_.third_parties[5 % network_.third_parties.size()];
    sync_ = network_.third_parties[7 % network_.third_parties.size()];
  }

  void live(Timestamp midnight) {
    open_until_.clear();
    const bool weekday =
        std::chrono::weekday{std::chrono::floor<days>(midnight)}.iso_encoding() <= 5;
    if (!weekday && random_.chance(0.8)) return;
    double hour = host_.from_hour + random_.uniform(0, 0.6);
    double leave = host_.to_hour - random_.uniform(0, 0.6);
    if (random_.chance(0.06)) leave = std::min(23.5, leave + random_.uniform(1, 5));
    if (chats_) chat(midnight, hour, leave);
    if (syncs_) synchronise(midnight, hour, leave);
    if (random_.chance(plan_.streaming_share)) {
      stream(midnight + from_seconds(random_.uniform(hour, leave) * 3600));
    }
    while (hour < leave) {
      const double session_hours = random_.log_normal(0.4, 0.7);
      session(midnight + from_seconds(hour * 3600),
              midnight + from_seconds(std::min(leave, hour + session_hours) * 3600));
      hour += session_hours + random_.log_normal(0.35, 0.8) / zeal_;
      if (hour > 12 && hour < 12.6) hour += random_.uniform(0.3, 0.8);
    }
  }

 private:
  void session(Timestamp from, Timestamp until) {
    Timestamp time = from;
    while (time < until) {
      page(time);
      if (random_.chance(0.05)) files(time);
      time += from_seconds(random_.pareto(10, 0.82, 2400));
    }
  }

  void page(Timestamp time) {
    const bool favourite = random_.chance(0.97);
    const std::size_t site = favourite ? favourites_[random_.zipf(favourites_.size(), 0.7)]
                                       : random_.zipf(network_.sites.size(), 0.9);
    load(network_.sites[site], time, 1 + static_cast<int>(random_.below(2)));
    // The parts that a site is made of are always the same; not every visit needs them all.
    Random parts(mix(site, 0x9a27));
    const int count = parts.between(1, 7);
    for (int i = 0; i < count; ++i) {
      const std::size_t part = parts.zipf(network_.third_parties.size(), 1.05);
      if (random_.chance(0.4)) {
        load(network_.third_parties[part], time + from_seconds(random_.uniform(0.05, 2.5)), 1);
      }
    }
  }

  void load(const Server& server, Timestamp time, int connections) {
    Timestamp& open_until = open_until_[server.name];
    if (time < open_until) return;  // the connection is still there
    for (int i = 0; i < connections; ++i) {
      Exchange exchange;
      exchange.seconds = random_.log_normal(20, 1.3);
      exchange.bytes_out = random_.log_normal(1800, 0.9);
      exchange.bytes_in = random_.log_normal(18000, 1.6);
      if (random_.chance(0.01)) exchange.ending = Ending::reset;
      const Timestamp start = time + from_seconds(i * random_.uniform(0.002, 0.2));
      network_.traffic.connect(host_.address, server, start, exchange, random_);
      if (random_.chance(0.004)) retry(server, start);
      open_until = std::max(open_until, start + from_seconds(exchange.seconds));
    }
  }

  // A server that does not answer is tried again after 1, 3 and 7 seconds.
  void retry(const Server& server, Timestamp time) {
    for (const double after : {1.0, 3.0, 7.0}) {
      network_.traffic.connect(host_.address, server, time + from_seconds(after),
                               {0, 0, 0, Ending::unanswered}, random_);
    }
  }

  void files(Timestamp time) {
    Server share;
    share.addresses = {fileserver_.address};
    share.port = 445;
    share.service = Service::smb;
    network_.traffic.connect(
        host_.address, share, time,
        {random_.log_normal(6000, 1.5), random_.log_normal(30000, 2), random_.log_normal(20, 1.5)},
        random_);
  }

  void stream(Timestamp time) {
    const Server& server =
        network_
            .third_parties[random_.below(std::min<std::size_t>(10, network_.third_parties.size()))];
    const Timestamp until = time + from_seconds(random_.log_normal(3600, 0.6));
    while (time < until) {
      const double seconds = random_.log_normal(90, 0.9);
      network_.traffic.connect(host_.address, server, time,
                               {seconds * 300, seconds * random_.log_normal(4e5, 0.3), seconds},
                               random_);
      time += from_seconds(seconds * random_.uniform(0.5, 1.1));
      if (random_.chance(0.05)) time += from_seconds(random_.pareto(30, 1, 1200));
    }
  }

  void chat(Timestamp midnight, double from, double to) {
    Timestamp time = midnight + from_seconds(from * 3600);
    const Timestamp until = midnight + from_seconds(to * 3600);
    while (time < until) {
      // Words come in conversations.
      const int words = 1 + static_cast<int>(random_.pareto(1, 1.1, 30));
      for (int i = 0; i < words; ++i) {
        network_.traffic.connect(
            host_.address, chat_, time,
            {random_.log_normal(900, 0.7), random_.log_normal(1500, 0.9), random_.log_normal(3, 1)},
            random_);
        time += from_seconds(random_.pareto(5, 1.1, 600));
      }
      time += from_seconds(random_.exponential(2400));
    }
  }

  void synchronise(Timestamp midnight, double from, double to) {
    Timestamp time = midnight + from_seconds(from * 3600);
    const Timestamp until = midnight + from_seconds(to * 3600);
    while (time < until) {
      time += from_seconds(random_.exponential(3000));
      const int files = static_cast<int>(random_.pareto(1, 0.9, 40));
      for (int i = 0; i < files; ++i) {
        network_.traffic.connect(
            host_.address, sync_, time,
            {random_.log_normal(40000, 2), random_.log_normal(2500, 0.5), random_.log_normal(2, 1)},
            random_);
        time += from_seconds(random_.exponential(1.5));
      }
    }
  }

  SimulatedNetwork& network_;
  const PeoplePlan& plan_;
  const Host& host_;
  Random random_;
  std::vector<std::size_t> favourites_;
  Host fileserver_;
  double zeal_ = 1;
  bool chats_ = false;
  bool syncs_ = false;
  Server chat_;
  Server sync_;
  absl::flat_hash_map<NameId, Timestamp> open_until_;
};

}  // namespace

void people(SimulatedNetwork& network, const PeoplePlan& plan, Random random) {
  std::uint64_t tag = 0;
  for (const Host& host : network.workstations) {
    Person person(network, plan, host, random.fork(++tag));
    for (auto day = std::chrono::floor<days>(network.traffic.start); day < network.traffic.end;
         day += days{1}) {
      person.live(day);
    }
  }
}

}  // namespace beaconry::simulate
