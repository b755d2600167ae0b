// web_feed WHAT …: what edges would send to a server, by the real spool and the real sender, so
// that the page's test has something of every kind to show.
//
//   web_feed probes DATABASE               probes of an air-gapped plant, before the server begins
//   web_feed beacons DATABASE COUNT        so many beacons, before the server begins
//   web_feed home URL FOLDER               a home hears four of their ways out, and a control
//   web_feed leak URL FOLDER               it hears a fifth
//   web_feed collector URL FOLDER FROM TO  FROM has called TO every 5 s; the collector lost a
//   little
//   web_feed sensor URL FOLDER TEXT [TYPE] what an instrument tells: an alert, or of this type
//   web_feed join URL FOLDER NAME CA       a sensor of this name joins, with the token of its
//   standard input; its key is then in FOLDER
#include <chrono>
#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/text.h"
#include "control/beacons.h"
#include "control/probes.h"
#include "spool/spool.h"
#include "store/database.h"
#include "uplink/edge_identity.h"
#include "uplink/flow_batch.h"
#include "uplink/instrument_event_batch.h"
#include "uplink/observation_batch.h"
#include "uplink/sender.h"

namespace beaconry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string kHome(64, 'a'), kCollector(64, 'c'), kSensor(64, 'd');

Timestamp now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

int complain(const Error& error) {
  std::fprintf(stderr, "web_feed: %s\n", error.message().c_str());
  return 1;
}

// Sends one batch; the exit status.
int send(const std::string& url, const std::string& folder, const std::string& edge,
         const std::string& name, ContentKind kind, const std::string& content) {
  Spool::Options options;
  options.folder = folder;
  auto spool = Spool::open(options);
  if (!spool) return complain(spool.error());
  if (auto added = (*spool)->append(content, now()); !added) return complain(added.error());
  Sender::Options sending;
  sending.server.url = url;
  sending.server.use_proxy = false;
  sending.edge = edge;
  sending.edge_name = name;
  sending.content_kind = kind;
  sending.first_pause = milliseconds{20};
  sending.longest_pause = milliseconds{200};
  auto sender = Sender::start(sending, **spool, now);
  if (!sender) return complain(sender.error());
  const auto until = std::chrono::steady_clock::now() + seconds{60};
  while ((*spool)->first() != (*spool)->next()) {
    if (std::chrono::steady_clock::now() > until || (*sender)->status().refused > 0) {
      std::fprintf(stderr, "web_feed: not taken: %s\n", (*sender)->status().last_error.c_str());
      return 1;
    }
    std::this_thread::sleep_for(milliseconds{20});
  }
  return 0;
}

int add_probes(const std::string& path) {
  const auto database = Database::open(path);
  if (!database) return complain(database.error());
  const auto probes = Probes::open(**database);
  if (!probes) return complain(probes.error());
  std::uint64_t id = 1;
  for (const char* name : {"press-line", "substation-3"}) {
    KeptProbe probe;
    probe.id = ProbeId{id++};
    probe.name = name;
    probe.home = kHome;
    probe.control = ControlKind::home;
    probe.created = now();
    if (auto added = (*probes)->add(probe); !added) return complain(added.error());
  }
  return 0;
}

// Each called by a host of its own. The verdict is a shortened one: what the list shows.
int add_beacons(const std::string& path, unsigned count) {
  const auto database = Database::open(path);
  if (!database) return complain(database.error());
  const auto beacons = Beacons::open(**database);
  if (!beacons) return complain(beacons.error());
  const Timestamp seen = now();
  std::vector<Beacons::Beacon> all(count);
  for (unsigned i = 0; i < count; ++i) {
    const std::string source = IpAddress::v4(0x0a000000 + i).to_string();
    Beacons::Beacon& beacon = all[i];
    beacon.identity = source + "->203.0.113.9:443/TCP";
    beacon.score = 1 - 0.3 * i / count;
    beacon.severity = i < count / 2 ? 3 : 2;
    beacon.first_flagged = beacon.last_flagged = beacon.analyzed = seen;
    beacon.verdict =
        R"({"pair_key":")" + beacon.identity + R"(","identity":")" + beacon.identity +
        R"(","kind":"address","src_ip":")" + source +
        R"(","src_name":null,"dst_ip":"203.0.113.9","server_name":null,"dst_name":null,)"
        R"("dst_port":443,"protocol":"TCP","combined_score":)" +
        std::to_string(beacon.score) + R"(,"severity":")" +
        (beacon.severity == 3 ? "CRITICAL" : "HIGH") + R"(","check_ins":100,"first_seen":")" +
        to_rfc3339(seen) + R"(","last_seen":")" + to_rfc3339(seen) +
        R"(","ours":null,"explanation":{"summary":"fixed sleep","detected_interval_seconds":60}})";
  }
  if (auto saved = (*beacons)->save(all); !saved) return complain(saved.error());
  return 0;
}

// A ping as home saw it, from behind a NAT unless `source` says otherwise.
Observation ping(std::uint64_t probe, MethodId method, const char* source = "203.0.113.1",
                 const char* via = nullptr) {
  static std::map<std::uint64_t, std::uint64_t> sequences;
  Observation seen;
  seen.received = now();
  seen.authenticity = Authenticity::authentic;
  seen.receiver = method == MethodId::dns ? "dns" : "udp";
  seen.carrier = method == MethodId::dns ? Carrier::dns_question : Carrier::payload;
  seen.source = IpAddress::parse(source).value_or(IpAddress());
  seen.destination = IpAddress::v4(0xc6336405);  // 198.51.100.5
  seen.destination_port = method == MethodId::dns ? 53 : 443;
  seen.source_port = 40'000;
  seen.protocol = 17;
  seen.ttl = 60;
  seen.ping.method = method;
  seen.ping.probe = ProbeId{probe};
  // Later runs go on with later numbers.
  seen.ping.sequence =
      static_cast<std::uint64_t>(now().time_since_epoch().count() / 1000) + ++sequences[probe];
  seen.ping.cycle = 1;
  seen.ping.sent = seen.received - milliseconds{35};
  seen.ping.source = IpAddress::v4(0x0a2a0015);  // 10.42.0.21
  seen.ping.destination = seen.destination;
  seen.ping.port = seen.destination_port;
  if (via != nullptr) seen.ping.via = IpAddress::parse(via).value_or(IpAddress());
  return seen;
}

int send_home(const std::string& url, const std::string& folder, std::vector<Observation> seen) {
  ObservationBatch batch;
  batch.made = now();
  batch.observations = std::move(seen);
  return send(url, folder, kHome, "outside", ContentKind::observations, encode_observations(batch));
}

std::vector<Observation> first_leaks() {
  std::vector<Observation> all{ping(1, MethodId::control),
                               ping(2, MethodId::control),
                               ping(1, MethodId::udp_port),
                               ping(1, MethodId::dns, "198.51.100.53", "10.42.0.1"),
                               ping(2, MethodId::neighbour_gateway, "203.0.113.77", "10.42.0.99"),
                               ping(2, MethodId::tls_hello, "10.42.0.21")};
  Observation both = ping(1, MethodId::udp_port);
  both.ping.leg = Leg::confirmed;
  all.push_back(both);
  return all;
}

int send_collector(const std::string& url, const std::string& folder, const std::string& from,
                   const std::string& to) {
  const auto pair = PairKey::parse(from + "->" + to + ":443/TCP");
  if (!pair) return complain(Error{ErrorKind::usage, "read", from + " and " + to, "no addresses"});
  FlowBatchBuilder builder;
  for (Timestamp time = now() - seconds{1200}; time < now(); time += seconds{5}) {
    FlowEvent event;
    event.pair = *pair;
    event.time = time;
    event.bytes_out = 312;
    event.bytes_in = 148;
    builder.add(event);
  }
  return send(url, folder, kCollector, "gateway", ContentKind::flows,
              builder.finish(now(), {{"packets", "eth0", 1'204'331},
                                     {"packets", "eth1", 88'120},
                                     {"kernel_drops", "eth0", 17},
                                     {"flows", "", 51'204},
                                     {"flows_evicted", "", 0},
                                     {"events", "", 61'877},
                                     {"events_lost", "", 0}}));
}

int send_sensor(const std::string& url, const std::string& folder, const std::string& text,
                const std::string& type) {
  InstrumentEventBatch batch;
  batch.made = now();
  InstrumentEvent event;
  event.instance = "detector_0";
  char uuid[40];
  std::snprintf(uuid, sizeof uuid, "00000000-0000-4000-8000-%012zx", text.size());
  event.uuid = uuid;  // each text once
  event.time = now();
  event.type = type;
  event.message = text;
  batch.events.push_back(event);
  return send(url, folder, kSensor, "sensor001", ContentKind::instrument_events,
              encode_instrument_events(batch));
}

int join(const std::string& url, const std::string& folder, const std::string& name,
         const std::string& ca) {
  std::string token;
  std::getline(std::cin, token);
  const auto identity = EdgeIdentity::open(folder, name);
  if (!identity) return complain(identity.error());
  const auto joined = join_server(*identity, "sensor", url, ca, token, folder);
  return joined ? 0 : complain(joined.error());
}

int run(const std::vector<std::string>& given) {
  const std::string what = given.empty() ? "" : given[0];
  if (what == "probes" && given.size() == 2) return add_probes(given[1]);
  if (what == "beacons" && given.size() == 3) {
    return add_beacons(given[1], static_cast<unsigned>(parse_unsigned(given[2]).value_or(0)));
  }
  if (what == "home" && given.size() == 3) return send_home(given[1], given[2], first_leaks());
  if (what == "leak" && given.size() == 3) {
    return send_home(given[1], given[2], {ping(2, MethodId::icmp)});
  }
  if (what == "collector" && given.size() == 5) {
    return send_collector(given[1], given[2], given[3], given[4]);
  }
  if (what == "sensor" && (given.size() == 4 || given.size() == 5)) {
    return send_sensor(given[1], given[2], given[3],
                       given.size() == 5 ? given[4] : "instruments.detector.ev.alert");
  }
  if (what == "join" && given.size() == 5) return join(given[1], given[2], given[3], given[4]);
  std::fputs("usage: web_feed probes|beacons|home|leak|collector|sensor|join …, see feed.cc\n",
             stderr);
  return 2;
}

}  // namespace
}  // namespace beaconry

int main(int count, char** given) {
  return beaconry::run(std::vector<std::string>(given + 1, given + count));
}
