#include "simulate_live.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <thread>
#include <utility>
#include <vector>

#include "base/text.h"
#include "http/message.h"
#include "server/access.h"
#include "source/simulate/recipe.h"
#include "subcommand.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostEventsABatch = 5000;
constexpr const char* kBeaconSource = "10.77.0.5";
constexpr const char* kBeaconDestination = "198.18.77.5";

volatile std::sig_atomic_t stopped = 0;

void stop(int) {
  stopped = 1;
}

Timestamp now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

// One connection as its first packets.
struct Contact {
  Timestamp time{};
  IpAddress source, destination;
  std::uint16_t source_port = 0, port = 0;
  Protocol protocol = Protocol::tcp;
  std::uint64_t bytes_out = 0, bytes_in = 0;
};

void append_packet(std::string& json, const Contact& contact, bool out) {
  const IpAddress& from = out ? contact.source : contact.destination;
  const IpAddress& to = out ? contact.destination : contact.source;
  const Timestamp time = out ? contact.time : contact.time + std::chrono::milliseconds{40};
  const std::uint64_t size =
      std::min<std::uint64_t>(1500, 40 + (out ? contact.bytes_out : contact.bytes_in));
  const bool tcp = contact.protocol == Protocol::tcp;
  if (json.back() != '[') json += ',';
  json += R"({"timestamp_ns":)" + std::to_string(time.time_since_epoch().count() * 1000) +
          R"(,"timestamp_utc":")" + to_rfc3339(time) + R"(","src_ip":")" + from.to_string() +
          R"(","dst_ip":")" + to.to_string() + R"(","src_port":)" +
          std::to_string(out ? contact.source_port : contact.port) + R"(,"dst_port":)" +
          std::to_string(out ? contact.port : contact.source_port) + R"(,"packet_size":)" +
          std::to_string(size) + R"(,"protocol":)" +
          std::to_string(static_cast<unsigned>(contact.protocol)) + R"(,"protocol_name":")" +
          to_string(contact.protocol) + R"(","tcp_flags":)" + (tcp ? (out ? "2" : "18") : "0") +
          R"(,"direction":)" + (out ? "1" : "0") + R"(,"node_id":"simulator"})";
}

// Makes the traffic of any hour, the same for the same seed.
class Hours {
 public:
  explicit Hours(const LiveSimulation& simulation) : simulation_(simulation) {}

  // What begins in [from, to), in order of time.
  std::vector<Contact> between(Timestamp from, Timestamp to) {
    std::vector<Contact> found;
    for (auto hour = std::chrono::floor<std::chrono::hours>(from); hour < to;
         hour += std::chrono::hours{1}) {
      make(hour);
      for (const simulate::SimulatedFlow& flow : traffic_.flows) {
        if (flow.time < from || flow.time >= to) continue;
        found.push_back({flow.time, flow.source, flow.destination, flow.source_port, flow.port,
                         flow.protocol, flow.bytes_out, flow.bytes_in});
      }
    }
    // On the clock's own beat, so that a restart does not break the rhythm.
    const auto interval = simulation_.interval.count();
    for (auto beat = from.time_since_epoch().count() / interval * interval;
         beat < to.time_since_epoch().count(); beat += interval) {
      const Timestamp time{Duration{beat}};
      if (time < from) continue;
      const auto port = static_cast<std::uint16_t>(32'768 + beat / interval % 28'000);
      found.push_back({time, *IpAddress::parse(kBeaconSource),
                       *IpAddress::parse(kBeaconDestination), port, 443, Protocol::tcp, 420, 260});
    }
    std::sort(found.begin(), found.end(),
              [](const Contact& a, const Contact& b) { return a.time < b.time; });
    return found;
  }

 private:
  void make(Timestamp hour) {
    if (hour == traffic_.start) return;
    const auto number = static_cast<std::uint64_t>(hour.time_since_epoch() / std::chrono::hours{1});
    simulate::Recipe recipe = *simulate::preset("demo", simulation_.seed + number);
    recipe.start = hour;
    recipe.hours = 1;
    recipe.hosts = simulation_.hosts;
    recipe.implants.clear();
    traffic_ = simulate::simulate(recipe);
  }

  const LiveSimulation& simulation_;
  simulate::Traffic traffic_;
};

// Posts contacts in batches until the server takes them; false once it refuses or we are stopped.
class Poster {
 public:
  explicit Poster(Server& server)
      : server_(server), run_(std::to_string(now().time_since_epoch().count())) {}

  bool post(const std::vector<Contact>& contacts) {
    for (std::size_t at = 0; at < contacts.size(); at += kMostEventsABatch / 2) {
      std::string json = R"({"batch_id":"simulator-)" + run_ + '-' + std::to_string(++batch_) +
                         R"(","node_id":"simulator","events":[)";
      const std::size_t end = std::min(contacts.size(), at + kMostEventsABatch / 2);
      for (std::size_t i = at; i < end; ++i) {
        append_packet(json, contacts[i], true);
        append_packet(json, contacts[i], false);
      }
      json += R"(],"data_plane_stats":{"events_dropped_ebpf":0,"events_dropped_overflow":0}})";
      if (!send(std::move(json))) return false;
    }
    sent_ += contacts.size();
    return true;
  }
  std::uint64_t sent() const { return sent_; }

 private:
  bool send(std::string body) {
    HttpRequest request;
    request.method = "POST";
    request.target = "/api/v1/telemetry";
    request.headers.emplace_back("content-type", "application/json");
    request.body = std::move(body);
    for (bool complained = false; stopped == 0; complained = true) {
      const auto answer = server_.send(request);
      if (answer && answer->status / 100 == 2) return true;
      const bool later =
          !answer || answer->status == 429 || answer->status == 503 || answer->status == 507;
      if (!later) {
        std::fprintf(stderr, "beaconry simulate: the server refused with %d: %s%s\n",
                     answer->status, terminal_safe(answer->body.substr(0, 300)).c_str(),
                     answer->status == 401 || answer->status == 403
                         ? "; set BEACONRY_TOKEN or --token-file to a token with the role ingest"
                         : "");
        return false;
      }
      if (!complained) {
        std::fprintf(stderr, "beaconry simulate: %s; trying again\n",
                     answer ? ("the server answered " + std::to_string(answer->status)).c_str()
                            : answer.error().message().c_str());
      }
      std::this_thread::sleep_for(std::chrono::seconds{1});
    }
    return false;
  }

  Server& server_;
  std::string run_;
  std::uint64_t batch_ = 0, sent_ = 0;
};

}  // namespace

int simulate_live(const LiveSimulation& simulation, Server& server) {
  std::signal(SIGINT, stop);
  std::signal(SIGTERM, stop);
  Poster poster(server);
  Hours hours(simulation);
  const Timestamp start = now();
  Timestamp sent_until = start - simulation.backfill;
  std::printf("%s->%s:443/TCP calls home every %s\n", kBeaconSource, kBeaconDestination,
              to_words(simulation.interval).c_str());
  std::fflush(stdout);
  const bool endless = simulation.length <= Duration{0};
  for (;;) {
    const Timestamp until = endless ? now() : std::min(now(), start + simulation.length);
    if (until > sent_until) {
      if (!poster.post(hours.between(sent_until, until))) break;
      sent_until = until;
    }
    if (stopped != 0 || (!endless && until >= start + simulation.length)) break;
    std::this_thread::sleep_for(std::chrono::seconds{1});
  }
  std::printf("%s connections sent\n", with_thousands(poster.sent()).c_str());
  return sent_until >= start || stopped != 0 ? kExitDone : kExitFound;
}

}  // namespace beaconry
