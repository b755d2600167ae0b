#include "control/probes.h"

#include <gtest/gtest.h>

#include "control/homes.h"
#include "control/our_traffic.h"
#include "control/probe_request.h"
#include "escape/config.h"

namespace beaconry {
namespace {

using namespace std::chrono_literals;
const Timestamp kNow{std::chrono::seconds{1'800'000'000}};

IpAddress address(const char* text) {
  return *IpAddress::parse(text);
}

class ProbesTest : public testing::Test {
 protected:
  ProbesTest() { reopen(); }

  static KeptProbe probe(const std::string& name, std::uint64_t id) {
    KeptProbe probe;
    probe.name = name;
    probe.id = ProbeId{id};
    probe.home = std::string(64, 'a');
    probe.created = kNow;
    probe.created_by = "ann";
    return probe;
  }
  void reopen() {
    probes_ = std::move(Probes::open(*database_).value());
    homes_ = std::move(Homes::open(*database_).value());
    edges_ = std::move(Edges::open(*database_).value());
  }

  std::unique_ptr<Database> database_ = std::move(Database::open("").value());
  std::unique_ptr<Probes> probes_;
  std::unique_ptr<Homes> homes_;
  std::unique_ptr<Edges> edges_;
};

TEST_F(ProbesTest, KeepsEverySettingOverARestart) {
  KeptProbe hall = probe("hall", 7);
  hall.box_public.fill(1);
  hall.sign_public.fill(2);
  hall.home_key.fill(3);
  hall.profile = "lab";
  hall.short_period = 600s;
  hall.long_cycle = false;
  hall.listen = true;
  hall.control = ControlKind::path;
  hall.control_address = address("2001:db8::1");
  hall.control_port = 443;
  hall.control_tcp = true;
  hall.control_every = 300s;
  hall.neighbours = {address("10.0.1.50"), address("fd00::5")};
  hall.peers = {{"office", address("10.0.2.9"), true}};
  hall.notes = "beside the \"press\"";
  hall.end = kNow + 24h;
  ASSERT_TRUE(probes_->add(hall));
  reopen();
  const auto kept = probes_->find(ProbeId{7});
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->box_public, hall.box_public);
  EXPECT_EQ(kept->sign_public, hall.sign_public);
  EXPECT_EQ(kept->home_key, hall.home_key);
  EXPECT_EQ(kept->profile, "lab");
  EXPECT_EQ(kept->short_period, 600s);
  EXPECT_FALSE(kept->long_cycle);
  EXPECT_TRUE(kept->listen);
  EXPECT_EQ(kept->control, ControlKind::path);
  EXPECT_EQ(kept->control_address, hall.control_address);
  EXPECT_EQ(kept->control_port, 443);
  EXPECT_TRUE(kept->control_tcp);
  EXPECT_EQ(kept->neighbours, hall.neighbours);
  ASSERT_EQ(kept->peers.size(), 1U);
  EXPECT_EQ(kept->peers[0].name, "office");
  EXPECT_TRUE(kept->peers[0].may_reach);
  EXPECT_EQ(kept->notes, hall.notes);
  EXPECT_EQ(kept->end, hall.end);
  EXPECT_FALSE(kept->is_retired(kNow));
  EXPECT_TRUE(kept->is_retired(kNow + 24h));
}

TEST_F(ProbesTest, ANameIsOneProbesForEver) {
  ASSERT_TRUE(probes_->add(probe("hall", 1)));
  EXPECT_FALSE(probes_->add(probe("hall", 2)));
  ASSERT_TRUE(probes_->revoke("hall", "ann", kNow));
  EXPECT_FALSE(probes_->add(probe("hall", 3)));
  for (const char* bad : {"", "a b", "a/b", "a\"b", "\x1b[31m"})
    EXPECT_FALSE(probes_->add(probe(bad, 4))) << bad;
  EXPECT_FALSE(probes_->revoke("nobody", "ann", kNow));
}

TEST_F(ProbesTest, ARotationKeepsTheOldKeyUntilTheOverlapIsOver) {
  KeptProbe old = probe("hall", 1);
  old.control = ControlKind::home;
  ASSERT_TRUE(probes_->add(old));
  const auto generation = probes_->generation();
  KeptProbe fresh = old;
  fresh.id = ProbeId{2};
  ASSERT_TRUE(probes_->rotate(fresh, kNow + 1h));
  EXPECT_NE(probes_->generation(), generation);
  reopen();
  EXPECT_EQ(probes_->newest("hall")->id, ProbeId{2});
  const auto before = probes_->find(ProbeId{1});
  EXPECT_EQ(before->successor, ProbeId{2});
  EXPECT_FALSE(before->is_retired(kNow));
  EXPECT_TRUE(before->is_retired(kNow + 1h));
  // Only the new key is expected to be heard.
  Timestamp next_end{};
  for (const ProbeSchedule& schedule : probes_->schedules(kNow, next_end))
    EXPECT_EQ(schedule.control_every.has_value(), schedule.probe == ProbeId{2});
  EXPECT_EQ(next_end, kNow + 1h);
  // And revoking means all keys.
  EXPECT_EQ(probes_->revoke("hall", "ann", kNow + 1min).value(), 2U);
  EXPECT_TRUE(probes_->find(ProbeId{1})->is_retired(kNow + 1min));
  EXPECT_FALSE(probes_->rotate(fresh, kNow));
}

TEST_F(ProbesTest, RemembersWhereAProbeWasHeard) {
  ASSERT_TRUE(probes_->add(probe("hall", 1)));
  const Probes::Whereabouts where{address("10.0.1.9"), address("10.0.1.1"),
                                  address("203.0.113.77")};
  EXPECT_TRUE(probes_->heard(ProbeId{1}, where, kNow).value());
  EXPECT_FALSE(probes_->heard(ProbeId{1}, where, kNow + 2h).value());
  EXPECT_FALSE(probes_->heard(ProbeId{9}, where, kNow).value());
  reopen();
  EXPECT_EQ(probes_->with_address(address("10.0.1.9"), kNow)->name, "hall");
  EXPECT_FALSE(probes_->with_address(address("203.0.113.77"), kNow));
  EXPECT_EQ(probes_->with_resolver(address("10.0.1.1"), kNow)->name, "hall");
  Timestamp next_end{};
  const auto schedules = probes_->schedules(kNow, next_end);
  ASSERT_EQ(schedules.size(), 1U);
  EXPECT_EQ(schedules[0].known_outer, std::vector{address("203.0.113.0")});
  for (unsigned i = 0; i < 2 * Probes::kMostPlaces; ++i) {
    Probes::Whereabouts other;
    other.own = IpAddress::v4(0x0a020000 + i);
    ASSERT_TRUE(probes_->heard(ProbeId{1}, other, kNow + std::chrono::hours{3 + i}));
  }
  EXPECT_LE(probes_->addresses_of(ProbeId{1}).size(), Probes::kMostPlaces);
  reopen();
  EXPECT_LE(probes_->addresses_of(ProbeId{1}).size(), Probes::kMostPlaces);
}

TEST_F(ProbesTest, AHomeIsToldOfItsProbesAndOfChangesOnly) {
  const std::string home(64, 'a');
  KeptProbe hall = probe("hall", 1), yard = probe("yard", 2), other = probe("other", 3);
  hall.control = ControlKind::home;
  yard.end = kNow + 1h;
  other.home = std::string(64, 'b');
  const std::string all = probe_list_json({hall, yard, other}, home, "", kNow);
  EXPECT_NE(all.find(R"("name":"hall")"), std::string::npos) << all;
  EXPECT_NE(all.find(R"("name":"yard")"), std::string::npos);
  EXPECT_EQ(all.find("other"), std::string::npos);
  EXPECT_NE(all.find(R"({"every_seconds":1800,"probe":"0000000000000001"})"), std::string::npos);
  const std::string mark = R"("version":)";
  const std::string version =
      all.substr(all.find(mark) + mark.size(), all.size() - all.find(mark) - mark.size() - 1);
  EXPECT_EQ(probe_list_json({hall, yard, other}, home, version, kNow),
            R"({"version":)" + version + "}");
  // Its end is a change of its own.
  const std::string later = probe_list_json({hall, yard}, home, version, kNow + 1h);
  EXPECT_NE(later.find(R"("retired":true)"), std::string::npos);
}

TEST_F(ProbesTest, AHomeSaysWhereItIs) {
  const std::string key(64, '1');
  auto home =
      Homes::parse(R"({"box_public":")" + key +
                   R"(","zone":"T.Example.org.","addresses":["203.0.113.10","2001:db8::1"],)"
                   R"("version":"0.1"})");
  ASSERT_TRUE(home) << home.error().message();
  EXPECT_EQ(home->zone, "t.example.org");
  home->edge = std::string(64, 'a');
  home->name = "outside";
  ASSERT_TRUE(homes_->announce(*home, kNow));
  home->box_public.fill(9);
  ASSERT_TRUE(homes_->announce(*home, kNow + 1h));
  reopen();
  const auto kept = homes_->find(home->edge);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->first, kNow);
  EXPECT_EQ(kept->key_changed, kNow + 1h);
  EXPECT_EQ(kept->addresses, home->addresses);
  EXPECT_EQ(homes_->with_address(address("2001:db8::1")), home->edge);
  EXPECT_EQ(homes_->with_name("x.t.example.org"), home->edge);
  EXPECT_EQ(homes_->with_name("xt.example.org"), "");
  for (
      const char* bad :
      {"", "[]", "{}", R"({"box_public":"00"})",
       R"({"box_public":"1111111111111111111111111111111111111111111111111111111111111111"})",
       R"({"box_public":"1111111111111111111111111111111111111111111111111111111111111111","addresses":["0.0.0.0"]})",
       R"({"box_public":"1111111111111111111111111111111111111111111111111111111111111111","addresses":[],"zone":"a b"})"})
    EXPECT_FALSE(Homes::parse(bad)) << bad;
}

TEST_F(ProbesTest, AHomeCallsNothingItsOwnThatManyShare) {
  const auto parsed = [](const std::string& zone, unsigned addresses = 1) {
    std::string list;
    for (unsigned i = 0; i < addresses; ++i)
      list += (i == 0 ? "\"203.0.113." : ",\"203.0.113.") + std::to_string(i + 1) + '"';
    return Homes::parse(R"({"box_public":")" + std::string(64, '1') + R"(","zone":")" + zone +
                        R"(","addresses":[)" + list + "]}")
        .has_value();
  };
  EXPECT_TRUE(parsed(""));
  EXPECT_TRUE(parsed("example.org"));
  EXPECT_TRUE(parsed("t.example.co.uk"));
  EXPECT_TRUE(parsed("t.plant.internal"));
  for (const char* shared : {"com", "org.", "co.uk", "localhost", "github.io"})
    EXPECT_FALSE(parsed(shared)) << shared;
  EXPECT_TRUE(parsed("", 8));
  EXPECT_FALSE(parsed("", 9));
}

TEST_F(ProbesTest, AHomeThatSaysSomethingElseIsTold) {
  KeptHome home;
  home.edge = std::string(64, 'a');
  home.name = "outside";
  home.addresses = {address("203.0.113.10")};
  EXPECT_FALSE(homes_->announce(home, kNow).value()) << "the first time";
  EXPECT_FALSE(homes_->announce(home, kNow + 1h).value()) << "the same";
  home.addresses.push_back(address("198.51.100.7"));
  const auto before = homes_->announce(home, kNow + 2h).value();
  ASSERT_TRUE(before);
  EXPECT_EQ(before->addresses.size(), 1U);
  const Alert alert = home_alert(*before, home, kNow + 2h);
  EXPECT_EQ(alert.kind, "home.changed");
  EXPECT_NE(alert.description.find("198.51.100.7"), std::string::npos) << alert.description;
  reopen();
  EXPECT_FALSE(homes_->announce(home, kNow + 3h).value());
  EXPECT_TRUE(homes_->forget(home.edge).value());
  EXPECT_FALSE(homes_->forget(home.edge).value());
  reopen();
  EXPECT_TRUE(homes_->list().empty());
}

TEST_F(ProbesTest, ALineIsWhatTheProbeReads) {
  auto wanted = read_probe_request(
      R"({"name":"hall","profile":"office","control":"path:[2001:db8::9]:443/tcp",)"
      R"("control_every":"10m","end":"90d","short_period":"15m","long_cycle":false,"listen":true,)"
      R"("neighbours":["10.0.1.50"],"peers":["yard=10.0.2.9,reachable"],"notes":"n"})",
      kNow);
  ASSERT_TRUE(wanted) << wanted.error().message();
  const Key32 seed = PartyKeys::make_seed();
  KeptHome home;
  home.box_public = PartyKeys(PartyKeys::make_seed()).box_public();
  home.addresses = {address("203.0.113.10")};
  home.zone = "t.example.org";
  EXPECT_FALSE(probe_line(*wanted, seed, home, *probes_)) << "its peer is not known";
  KeptProbe yard = probe("yard", 2);
  yard.box_public = PartyKeys(PartyKeys::make_seed()).box_public();
  ASSERT_TRUE(probes_->add(yard));
  const auto line = probe_line(*wanted, seed, home, *probes_);
  ASSERT_TRUE(line) << line.error().message();
  EXPECT_EQ(line->find('\n'), std::string::npos);
  const auto config = ProbeConfig::parse(*line, "the line");
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->seed, seed);
  EXPECT_EQ(config->home.key, home.box_public);
  EXPECT_EQ(config->home.zone, "t.example.org");
  EXPECT_EQ(config->profile, Profile::office);
  EXPECT_EQ(config->end, kNow + 24h * 90);
  EXPECT_EQ(config->short_period, 15min);
  EXPECT_FALSE(config->long_cycle);
  EXPECT_EQ(config->control->port, 443);
  EXPECT_TRUE(config->control->tcp);
  EXPECT_EQ(config->peers.at(0).key, yard.box_public);
  EXPECT_TRUE(config->peers.at(0).may_reach);
}

TEST(AProbeRequest, IsRefusedInWordsThatNameTheField) {
  const std::pair<const char*, const char*> cases[] = {
      {"[]", "JSON"},
      {R"({"profile":"ot"})", "'name'"},
      {R"({"name":"a","profile":"x"})", "'profile'"},
      {R"({"name":"a","seed":"x"})", "'seed'"},
      {R"({"name":"a","control":"path:1.2.3.4"})", "'control'"},
      {R"({"name":"a","control":"path:1.2.3.4:0"})", "'control'"},
      {R"({"name":"a","control":"path:2001:db8::1:443"})", "'control'"},
      {R"({"name":"a","control":"path:1.2.3.4:443/sctp"})", "'control'"},
      {R"({"name":"a","control_every":"1s"})", "'control_every'"},
      {R"({"name":"a","end":"2001-01-01T00:00:00Z"})", "'end'"},
      {R"({"name":"a","short_period":"1"})", "'short_period'"},
      {R"({"name":"a","long_cycle":"yes"})", "'long_cycle'"},
      {R"({"name":"a","neighbours":["x"]})", "neighbour"},
      {R"({"name":"a","neighbours":7})", "'neighbours'"},
      {R"({"name":"a","peers":["=10.0.0.1"]})", "peer"},
  };
  for (const auto& [json, words] : cases) {
    const auto read = read_probe_request(json, kNow);
    ASSERT_FALSE(read) << json;
    EXPECT_NE(read.error().message().find(words), std::string::npos) << read.error().message();
  }
}

TEST_F(ProbesTest, WhatIsOursIsOnlyWhatGoesHome) {
  const std::string edge(64, 'a');
  const auto token = edges_->make_token("home", "outside", kNow + 1h, "ann", kNow).value();
  ASSERT_TRUE(edges_->enrol(token, "home", "outside", edge, "192.0.2.1", kNow));
  KeptHome home;
  home.edge = edge;
  home.name = "outside";
  home.addresses = {address("203.0.113.10")};
  home.zone = "t.example.org";
  ASSERT_TRUE(homes_->announce(home, kNow));
  ASSERT_TRUE(probes_->add(probe("hall", 1)));
  ASSERT_TRUE(probes_->heard(ProbeId{1}, {address("10.0.1.9"), address("10.0.1.1"), {}}, kNow));

  ScoredPair pair;
  const auto whose = [&](const char* source, const char* destination, const char* name = "",
                         NameKind kind = NameKind::none) {
    pair.key.source = address(source);
    pair.key.destination = address(destination);
    pair.server_name = name;
    pair.name_kind = kind;
    return our_traffic(pair, *probes_, *homes_, *edges_, kNow);
  };
  EXPECT_EQ(whose("10.0.1.9", "203.0.113.10"), "probe hall");
  EXPECT_EQ(whose("10.0.1.77", "203.0.113.10"), "home outside");
  EXPECT_EQ(whose("10.0.1.9", "203.0.113.11"), "");
  EXPECT_EQ(whose("10.0.1.9", "192.0.2.1", "a.t.example.org", NameKind::tls_sni), "probe hall");
  EXPECT_EQ(whose("10.0.1.9", "192.0.2.1", "evil.example.org", NameKind::tls_sni), "");
  // DNS goes by the registered domain, which is not the home's alone.
  EXPECT_EQ(whose("10.0.1.9", "10.0.1.1", "example.org", NameKind::dns_domain), "probe hall");
  EXPECT_EQ(whose("10.0.1.1", "192.0.2.53", "example.org", NameKind::dns_domain), "probe hall");
  EXPECT_EQ(whose("10.0.1.66", "10.0.1.1", "example.org", NameKind::dns_domain), "");
  // Every address of a named pair must be home's.
  pair.destinations = {address("203.0.113.10"), address("198.51.100.1")};
  EXPECT_EQ(whose("10.0.1.9", "203.0.113.10"), "");
  pair.destinations.clear();
  // Once no probe is left, a call home is an alarm as any other.
  ASSERT_TRUE(probes_->revoke("hall", "ann", kNow));
  EXPECT_EQ(whose("10.0.1.9", "203.0.113.10"), "");
}

TEST_F(ProbesTest, AProbeMayBeAnInstrumentOfASensor) {
  ASSERT_TRUE(probes_->add(probe("beacon_0@sensor001", 1)));
  EXPECT_EQ(probes_->name_of(ProbeId{1}), "beacon_0@sensor001");
}

}  // namespace
}  // namespace beaconry
