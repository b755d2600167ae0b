// kill -9 of the server between its journal, its database and its alert queue: every observation is
// there once, every leak has one alert.
#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "control/probes.h"
#include "faults/child.h"
#include "faults/server.h"
#include "spool/spool.h"
#include "store/database.h"
#include "uplink/observation_batch.h"
#include "uplink/sender.h"

namespace beaconry::faults {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::uint64_t kProbes = 40;
const std::string kHome(64, 'a');

// A home: observations into a spool, and the real sender.
class Home {
 public:
  Home(const std::string& folder, const std::string& url) {
    Spool::Options spool;
    spool.folder = folder;
    spool_ = std::move(Spool::open(spool).value());
    Sender::Options sender;
    sender.server.url = url;
    sender.server.use_proxy = false;
    sender.edge = kHome;
    sender.edge_name = "outside";
    sender.content_kind = ContentKind::observations;
    sender.first_pause = milliseconds{20};
    sender.longest_pause = milliseconds{100};
    sender_ = std::move(Sender::start(sender, *spool_, now).value());
  }
  ~Home() { sender_.reset(); }
  Home(const Home&) = delete;
  Home& operator=(const Home&) = delete;

  void add(std::mt19937& random, unsigned pings) {
    ObservationBatch batch;
    batch.made = now();
    for (unsigned i = 0; i < pings; ++i)
      batch.observations.push_back(ping(1 + random() % kProbes));
    const auto added = spool_->append(encode_observations(batch), now());
    ASSERT_TRUE(added) << added.error().message();
    sender_->wake();
  }
  bool is_drained() const { return spool_->first() == spool_->next(); }
  const Sender& sender() const { return *sender_; }
  std::uint64_t pings() const { return pings_; }
  const std::map<std::uint64_t, std::uint64_t>& by_probe() const { return by_probe_; }

 private:
  Observation ping(std::uint64_t probe) {
    ++pings_;
    Observation o;
    o.received = now();
    o.authenticity = Authenticity::authentic;
    o.receiver = "udp";
    o.ping.method = MethodId::udp_port;
    o.ping.cycle = 1;
    o.ping.probe = ProbeId{probe};
    o.ping.sequence = ++by_probe_[probe];
    o.ping.sent = o.received;
    o.ping.source = IpAddress::v4(0x0a000109);
    o.ping.destination = o.destination = IpAddress::v4(0xcb00710a);
    o.ping.port = o.destination_port = 443;
    o.source = IpAddress::v4(0xcb007101);
    o.protocol = 17;
    o.ttl = 63;
    return o;
  }

  std::unique_ptr<Spool> spool_;
  std::unique_ptr<Sender> sender_;
  std::uint64_t pings_ = 0;
  std::map<std::uint64_t, std::uint64_t> by_probe_;
};

// The probes have been added before the server begins.
void add_probes(const std::string& folder) {
  const auto database = Database::open(folder + "/beaconry.db");
  ASSERT_TRUE(database) << database.error().message();
  const auto probes = Probes::open(**database);
  ASSERT_TRUE(probes) << probes.error().message();
  for (std::uint64_t id = 1; id <= kProbes; ++id) {
    KeptProbe probe;
    probe.id = ProbeId{id};
    probe.name = "probe-" + std::to_string(id);
    probe.home = kHome;
    probe.created = now();
    const auto added = (*probes)->add(probe);
    ASSERT_TRUE(added) << added.error().message();
  }
}

void expect_exactly(Server& server, const Home& home) {
  EXPECT_EQ(server.get("/api/v1/observations")["total"], home.pings());
  EXPECT_EQ(server.get("/api/v1/observations?class=fresh")["total"], home.pings());
  const Json leaks = server.get("/api/v1/leaks");
  EXPECT_EQ(leaks["total"], home.by_probe().size());
  std::map<std::string, std::uint64_t> counts;
  for (const Json& leak : leaks["leaks"])
    counts[leak["probe"]] = leak["count"];
  for (const auto& [probe, pings] : home.by_probe())
    EXPECT_EQ(counts[ProbeId{probe}.to_string()], pings) << probe;
  const Json alerts = server.get("/api/v1/alerts?kind=leak.new&limit=1000");
  std::set<std::string> subjects;
  for (const Json& alert : alerts["alerts"])
    EXPECT_TRUE(subjects.insert(alert["subject"]).second) << alert.dump();
  EXPECT_EQ(subjects.size(), home.by_probe().size());
}

// Alerts as a sink got them: by id, for it may get one twice.
std::set<std::string> delivered(const std::string& path) {
  std::set<std::string> ids;
  const std::string text = content_of(path);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const Json alert = Json::parse(text.substr(at, end - at), nullptr, false);
    if (alert.is_object() && alert["kind"] == "leak.new") ids.insert(alert["alert_id"]);
    at = end + 1;
  }
  return ids;
}

TEST(CrashesOfTheServer, LoseAndDoubleNoObservationAndNoAlertOfALeak) {
  const Folder folder;
  std::mt19937 random(crash_seed());
  const std::string sink = folder / "alerts.jsonl";
  Server server(folder.path(), "alerting:\n  file:\n    enabled: true\n    path: " + sink + '\n');
  server.start();  // makes its folder
  server.end();
  add_probes(folder / "state");
  if (HasFatalFailure()) return;
  server.start();
  Home home(folder / "spool", server.url());
  for (unsigned point = 0; point < crash_points() && !HasFatalFailure(); ++point) {
    const bool early = point % 4 == 3;  // while it reads its journal
    if (point > 0) early ? server.begin() : server.start();
    const auto until = steady_clock::now() + milliseconds{random() % 150};
    while (steady_clock::now() < until) {
      home.add(random, 1 + static_cast<unsigned>(random() % 20));
      std::this_thread::sleep_for(milliseconds{random() % 4});
    }
    server.crash();
  }
  server.start();
  ASSERT_TRUE(wait_for([&] { return home.is_drained(); }))
      << home.sender().status().last_error << end_of(server.log());
  EXPECT_EQ(home.sender().status().refused, 0U);
  EXPECT_GT(home.sender().status().retries, 0U);
  // Alerts that a crash left in the database come with the next tick.
  ASSERT_TRUE(wait_for([&] {
    return server.get("/api/v1/alerts?kind=leak.new")["total"] == home.by_probe().size();
  })) << end_of(server.log());
  {
    SCOPED_TRACE("after the last crash");
    expect_exactly(server, home);
  }
  EXPECT_TRUE(wait_for([&] { return delivered(sink).size() == home.by_probe().size(); }))
      << delivered(sink).size();
  server.end();
  server.start();
  SCOPED_TRACE("after a restart");
  expect_exactly(server, home);
  std::printf("%u crashes, %llu observations, %zu leaks\n", crash_points(),
              static_cast<unsigned long long>(home.pings()), home.by_probe().size());
}

}  // namespace
}  // namespace beaconry::faults
